// A worker setup module whose default export is no function. It must stay wrong.
const setup: object = {}

export { setup as default }
