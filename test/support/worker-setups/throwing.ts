// A worker setup module whose function throws. It must stay wrong.
export default async function setup(): Promise<object> {
  throw new Error('the setup throws on purpose')
}
