// Package command runs a function as a program of this machine: it reads the
// event on its standard input and writes the answer to its standard output.
//
// A program is started by its path, never through a shell unless the setting
// says so, with an environment that holds what functions.Given lists and the
// setting's own variables, and nothing of the server's. The credentials in it
// are a session of the job's execution role that ends a minute after the
// function's time. HOME and TMPDIR are a folder that is there for this one
// invocation; it is also where the program runs, unless the setting names one.
//
// What it may do is bounded from outside: time by its setting, the answer by
// functions.MaxPayload (a longer one kills it), and of standard error only the
// end is kept. The program leads a process group, which is killed when its
// leader ends, however that comes, so that nothing it started outlives it. A
// program that takes itself out of its group (setsid) is not caught by this;
// code that is not trusted belongs into a container, behind a url.
//
// With a handler the program is a Python, and the handler a function of a file
// in the setting's folder, called as Lambda's own Python runtime calls it: what
// it prints goes to standard error, what it returns is the answer.
package command
