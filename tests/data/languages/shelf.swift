/// A view.
@objc public class View: Base {
    let x = 1
    init(a: Int) {
        x()
    }
    /// Draws.
    func draw(_ a: Int) -> String {
        return "x"
    }
}
extension View {
    func more() {
        x()
    }
}
