/**
 * Stands in bundles for what a library brings along and no program uses: what of it is used all the same is no function,
 * which is said at the first call.
 */
module.exports = {};
