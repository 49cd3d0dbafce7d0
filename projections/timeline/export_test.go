package timeline

// Detail and Marshalled are two ways to one result.
var (
	Detail     = detailOf
	Marshalled = marshalled
)
