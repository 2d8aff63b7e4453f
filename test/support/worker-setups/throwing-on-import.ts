// A worker setup module that throws when it is imported. It must stay wrong.
export default function setup(): object {
  return {}
}

throw new Error('the module throws on purpose')
