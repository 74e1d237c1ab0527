package a

/** A store. */
@Foo
class Store(val x: Int) : Base() {
    companion object {
        const val MAX = 1
    }
    /** Puts. */
    fun put(a: Int): Int {
        return a
    }
}
fun String.shout(): String {
    return this
}
object Single {
    fun go() {
        x()
    }
}
