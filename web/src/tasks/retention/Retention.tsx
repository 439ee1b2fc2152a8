export default function Retention() {
  return null
}
