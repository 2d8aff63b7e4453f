// A worker setup module that is well formed and gives nothing.
export default () => ({})
