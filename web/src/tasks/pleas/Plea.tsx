export default function Plea() {
  return null
}
