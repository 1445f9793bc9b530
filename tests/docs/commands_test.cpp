// Every command that the documents and help pages show does what it is shown for: it runs, in a
// folder where small files stand in for those that it names (stage.h), or stands in the table of
// those that do not with the reason. A new command that is neither fails.
#include "tests/docs/commands.h"

#include "lib/base/file.h"
#include "tests/docs/stage.h"

namespace intaglio::testing {
namespace {

// What is run for a command in place of it, and before it. Commands that are not here run as they
// stand.
struct Exception {
  const char* command;
  const char* run;          // nullptr: as it stands
  const char* before = "";  // what the text around it says comes first
};

const std::vector<Exception> exceptions = {
    {"intaglio inspect MODEL --nodes", "intaglio inspect model.onnx --nodes"},
    {"intaglio run MODEL --data X --repeat 100 --profile",
     "intaglio run model.onnx --data cat.jpg --repeat 2 --profile"},
    {"intaglio run model.onnx --data cat.jpg --repeat 50 --profile",
     "intaglio run model.onnx --data cat.jpg --repeat 2 --profile"},
    {"build/release/intaglio --help", "intaglio --help"},
    {"intaglio merge part*.statistics -o model.statistics", nullptr,
     "rm -f *.statistics; for i in 1 2 3 4; do intaglio calibrate model.onnx --data images/ "
     "--shard "
     "$i/4 -o part$i.statistics; done"},
    {"intaglio merge host1.statistics host2.statistics --partial -o so_far.statistics", nullptr,
     "for i in 1 2; do intaglio calibrate model.onnx --data images/ --shard $i/4 -o "
     "host$i.statistics; done"},
    {"intaglio completion bash > ~/.local/share/bash-completion/completions/intaglio",
     "intaglio completion bash > completion.bash"},
    {"intaglio completion zsh > ~/.zfunc/_intaglio", "intaglio completion zsh > _intaglio"},
    {"intaglio completion fish > ~/.config/fish/completions/intaglio.fish",
     "intaglio completion fish > intaglio.fish"},
    // One of the eight that the array starts, and one of those that parallel does.
    {"sbatch --wait --array=1-8 --wrap 'intaglio calibrate model.onnx --data images/ --shard "
     "$SLURM_ARRAY_TASK_ID/8 -o part$SLURM_ARRAY_TASK_ID.statistics'",
     "SLURM_ARRAY_TASK_ID=3; intaglio calibrate model.onnx --data images/ --shard "
     "$SLURM_ARRAY_TASK_ID/8 -o part$SLURM_ARRAY_TASK_ID.statistics"},
    {"parallel --sshloginfile hosts --workdir \"$PWD\" intaglio calibrate model.onnx --data "
     "images/ "
     "--shard {}/8 -o part{}.statistics ::: 1 2 3 4 5 6 7 8",
     "intaglio calibrate model.onnx --data images/ --shard 8/8 -o part8.statistics"},
};

struct NotRun {
  const char* command;  // how it begins
  const char* reason;
};

const std::vector<NotRun> not_run = {
    {"intaglio [--version] COMMAND", "a synopsis"},
    {"intaglio quantize MODEL --data PATH [", "a synopsis"},
    {"intaglio analyze MODEL --data PATH [", "a synopsis"},
    {"intaglio calibrate MODEL --data PATH [", "a synopsis"},
    {"intaglio merge STATS... -o STATS [", "a synopsis"},
    {"intaglio compare MODEL --data PATH [", "a synopsis"},
    {"intaglio evaluate MODEL --data PATH (", "a synopsis"},
    {"intaglio preview MODEL --data PATH [", "a synopsis"},
    {"intaglio run MODEL --data PATH [", "a synopsis"},
    {"intaglio check MODEL [", "a synopsis"},
    {"intaglio inspect FILE [", "a synopsis"},
    {"intaglio completion bash|", "a synopsis"},
    {"intaglio quantize \"$INTAGLIO_MODEL\"", "of the job for GitLab, which ci_test.cpp runs"},
    {"intaglio diff \"$INTAGLIO_BASELINE\"", "of the job for GitLab, which ci_test.cpp runs"},
    {"intaglio diff OLD.json NEW.json [", "a synopsis"},
    {"intaglio diff --json", "names an option, without files"},
    {"intaglio quantize --report FILE", "names an option, without a model"},
    {"intaglio evaluate --report FILE", "names an option, without a model"},
};

const char* reason_not_to_run(const std::string& command) {
  for (const NotRun& entry : not_run)
    if (command.starts_with(entry.command)) return entry.reason;
  return nullptr;
}

const Exception* exception_of(const std::string& command) {
  for (const Exception& entry : exceptions)
    if (command == entry.command) return &entry;
  return nullptr;
}

// Gates judge models that stand in for others, and check one that need not fit: both say no by 8.
bool may_say_no(const std::string& command) {
  return command.find("--min-") != std::string::npos ||
         command.find("--max-") != std::string::npos || command.starts_with("intaglio check ");
}

void expect_all_to_run(const std::string& text) {
  Stage stage(fresh_folder());
  for (const std::string& command : commands_of(text)) {
    if (reason_not_to_run(command) != nullptr) continue;
    const Exception* exception = exception_of(command);
    if (exception != nullptr && *exception->before != '\0') {
      const Ran before = stage.run(exception->before);
      EXPECT_EQ(before.exit_code, 0) << exception->before << "\n" << before.err;
    }
    const Ran ran =
        stage.run(exception != nullptr && exception->run != nullptr ? exception->run : command);
    EXPECT_TRUE(ran.exit_code == 0 || (ran.exit_code == 8 && may_say_no(command)))
        << command << "\nended with " << ran.exit_code << ":\n"
        << ran.err
        << "\nIf it cannot run here, say so in the tables of tests/docs/commands_test.cpp.";
  }
}

class Commands : public ::testing::TestWithParam<std::string> {};

TEST_P(Commands, Run) { expect_all_to_run(read_file(source_dir() / GetParam())); }

std::string last_part(const ::testing::TestParamInfo<std::string>& info) {
  std::string stem = std::filesystem::path(info.param).stem().string();
  std::ranges::replace(stem, '-', '_');
  return stem.substr(0, stem.find('.'));
}

INSTANTIATE_TEST_SUITE_P(Of, Commands, ::testing::ValuesIn(documents_with_commands()), last_part);

const std::vector<std::string> with_help = {"quantize", "calibrate", "merge",   "compare",
                                            "analyze",  "evaluate",  "preview", "run",
                                            "check",    "inspect",   "diff",    "completion"};

std::string help_of(const std::string& command) {
  return run_command({"env", "COLUMNS=400", INTAGLIO_BINARY, command, "--help"}).out;
}

class Examples : public ::testing::TestWithParam<std::string> {};

TEST_P(Examples, Run) {
  const std::string help = help_of(GetParam());
  EXPECT_GE(commands_of(help).size(), 2u) << help;
  expect_all_to_run(help);
}

INSTANTIATE_TEST_SUITE_P(Of, Examples, ::testing::ValuesIn(with_help), last_part);

TEST(CommandsOfDocuments, AreFoundInBlocksAndInSentences) {
  EXPECT_EQ(commands_of("Say `intaglio run a.onnx\n--top 3`, or `intaglio run`:\n\n"
                        "    $ intaglio quantize a.onnx \\\n        -o b.onnx   # makes it\n"
                        "    intaglio: an error\n    jq . report.json\n"),
            (std::vector<std::string>{"intaglio quantize a.onnx -o b.onnx",
                                      "intaglio run a.onnx --top 3"}));
}

// What the tables say of commands that no document shows any more.
TEST(CommandsOfDocuments, AllTablesAreInUse) {
  std::string all;
  const auto add = [&](const std::string& text) {
    for (const std::string& command : commands_of(text)) all += "\n" + command + "\n";
  };
  for (const std::string& document : documents_with_commands())
    add(read_file(source_dir() / document));
  for (const std::string& command : with_help) add(help_of(command));
  for (const Exception& entry : exceptions)
    EXPECT_NE(all.find("\n" + std::string(entry.command) + "\n"), std::string::npos)
        << entry.command;
  for (const NotRun& entry : not_run)
    EXPECT_NE(all.find(std::string("\n") + entry.command), std::string::npos) << entry.command;
}

}  // namespace
}  // namespace intaglio::testing
