package archive

// Seams for the tests of this package.
var (
	ReadEvents  = readEvents
	WriteEvents = writeEvents
)
