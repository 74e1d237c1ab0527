#define MAX_SIZE 3
namespace ns {
/// A box.
template <typename T>
class Box : public Base {
 public:
  Box() {}
  ~Box();
  // Gets.
  T get() const {
    return x;
  }
};

int Box::size(int a)
{
  return 1;
}
}  // namespace ns
typedef struct {
  int a;
} Pair;
