package api

import "net/http"

// WriteProblem answers to an error.
func WriteProblem(w http.ResponseWriter, err error) { problemOf(err, "1").write(w) }
