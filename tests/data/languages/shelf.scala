/** A set. */
class Box[T](x: T) {
  def get(a: Int): T = {
    x
  }
}
object Main {
  def main(): Unit = {
    run()
  }
}
