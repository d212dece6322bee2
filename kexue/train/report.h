// A run folder as one page for people.
#pragma once

#include <string>
#include <vector>

namespace kexue::train {

// Reads metrics.jsonl, environment.json, config.toml and predictions-*.json of
// a run folder and writes report.html beside them, atomically: headline
// figures, curves, time split, resolved config and environment in one
// self-contained file. The same inputs give the same page.
//
// The curves are drawn twice: as plain SVG, which needs no script, and as
// Vega-Lite charts that take its place when the build contains Vega and the
// browser runs scripts. A curve has at most 2000 points.
//
// A torn last line of metrics.jsonl (the run was killed) is dropped, and the
// page says so; so are missing config.toml and environment.json.
// Errors: kNotFound without metrics.jsonl; kCorruptData with file and line (in
//         environment.json the byte) for anything else that is malformed; kIo.
void write_report(const std::string& run_folder);

// Several runs on one page, `file`: the curves of each chart over each other,
// what came out, and the settings in which they differ.
// Errors: as write_report; kInvalidArgument unless there are 2 to 8.
void write_comparison(const std::vector<std::string>& run_folders,
                      const std::string& file);

}  // namespace kexue::train
