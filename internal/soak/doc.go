// Package soak holds tests with real processes that are really killed, stopped
// and raced. It has no other code.
//
// The test binary runs itself again as the server, with an archive, its index
// and, where no other store is given, the embedded store in one process, so that
// SIGKILL hits all of them at once, in whatever they are doing. The parent is the
// world outside: procedure systems that push and push again what was not
// acknowledged, archivists who retrieve, hold and destroy. It writes down what it
// was told and nothing else, and in the end compares it with what is there.
//
// LUUTRU_KILL is the number of rounds: two without it, twenty in CI.
// LUUTRU_TEST_S3 (http://key:secret@host:port) names a store to use in place of
// the embedded one; its buckets are new for every test and stay behind. Figures
// are printed with -v.
package soak
