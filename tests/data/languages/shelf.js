const fs = require('fs')

/**
 * Opens it.
 */
exports.open = function (a) {
  return 1
}
Foo.prototype.bar = function bar() {
  return 2
}
module.exports = {
  load: function () {
    return 1
  },
  save() {
    return 2
  },
}
class A {
  constructor() {
    this.x = 1
  }
}
