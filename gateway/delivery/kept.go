package delivery

// Kept is a delivery that the journal keeps, for a retry or as a dead letter,
// and its name there. A retry has no Reason.
type Kept struct {
	Ref Ref
	DeadLetter
}
