// A module that is no executor: its default export is not a function.
export default { run: 'not a function' }
