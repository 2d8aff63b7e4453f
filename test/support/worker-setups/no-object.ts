// A worker setup module whose function returns no object. It must stay wrong.
export default function setup(): string {
  return 'no object'
}
