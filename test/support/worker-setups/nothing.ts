// A worker setup module without the default export that one needs. It must stay wrong.
export const setup = (): object => ({})
