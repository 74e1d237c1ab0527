package a

// Limit of all.
const Limit = 3

// Command runs.
type Command struct {
	Name string
}

// Run runs it.
func (c *Command) Run(a int) error {
	return nil
}

func (l List[T]) Push(x T) {
	l.x()
}

type (
	// A is.
	A interface {
		Do() error
	}
	B int
)
