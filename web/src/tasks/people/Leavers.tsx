export default function Leavers() {
  return null
}
