package a;
/** A list. */
@Foo
public class List<T> extends Base {
  private static final int MAX = 3;
  int one() { return 1; }
  /** Adds. More. */
  @Override
  public boolean add(T x) {
    return true;
  }
  interface Inner {
    void go();
  }
}
