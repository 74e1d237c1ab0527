/** Says. */
@Component({
  selector: "a",
})
export class Foo<T> extends Bar {
  x = 1;
  /** Gets. */
  @Input()
  get(a: string): void {
    x();
  }
  handler = async (e: Event) => {
    y();
  };
}
export interface Shape {
  area(): number;
}
export const run = (a: number) => {
  return a;
};
export const LIMIT = 3;
namespace N {
  export function inner() {
    return 1;
  }
}
describe("x", () => {
  it("y", () => { z(); });
});
