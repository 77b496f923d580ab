/** Stands in bundles for `node:assert` where a library asks it for one truth: loading it costs a start more than the rest of the library. */
module.exports = (isTrue, message) => {
  if (!isTrue) throw new Error(message);
};
