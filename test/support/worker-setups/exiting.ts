// A worker setup module that ends its thread. It must stay wrong.
export default function setup(): object {
  return process.exit(7)
}
