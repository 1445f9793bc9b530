// Signals: how the program ends when it is asked to, or when the system must.
//
// SIGINT, SIGTERM, SIGHUP  the first one asks the running phase to stop at its next step; a second
//                          one that comes 0.3 seconds later or more, or ten seconds without such a
//                          step, ends the process with the code of an interrupt. A SIGHUP that was ignored on entry (nohup) stays so.
// SIGBUS                   in a mapped file: somebody cut it. One message, and the code of that.
// SIGPIPE, SIGXFSZ         ignored: what writes sees an error instead.
// others that end          as they do by themselves, a crash of ours among them.
//
// Temporary files are removed in all these cases.
#pragma once

namespace intaglio {

// For main(), before anything else. grace: seconds until an interrupt that is not honoured ends the
// process.
void install_signal_handlers(unsigned grace = 10);

// Standard channels that are closed get an end that fails: files opened later must not take their
// numbers, or results would be printed into them. Call it before anything is opened.
void occupy_standard_channels();

}  // namespace intaglio
