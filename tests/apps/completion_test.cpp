// The completion of the shells themselves: scripts are loaded, and asked what they offer.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "lib/base/atomic_file.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::run_command;
using testing::run_program;
using Words = std::vector<std::string>;

bool has_shell(const std::string& name) {
  return run_command({"sh", "-c", "command -v " + name}).exit_code == 0;
}

Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// A folder with files to complete, and the script of a shell.
class Completion : public ::testing::Test {
 protected:
  Completion() {
    write_file(folder_ / "model.onnx", "");
    write_file(folder_ / "my model.onnx", "");
    fs::create_directory(folder_ / "images");
    fs::create_directories(folder_ / "configs/preprocess");
    write_file(folder_ / "configs/mine.json", "{}");
    write_file(folder_ / "configs/preprocess/myrecipe.json", "{}");
  }

  fs::path script(const std::string& shell) const {
    const fs::path path = folder_ / ("completion." + shell);
    write_file(path, run_program({"completion", shell}).out);
    return path;
  }

  // Runs a command in the folder with the program on the PATH.
  testing::Ran run(const Words& command) const {
    const std::string path =
        fs::path(INTAGLIO_BINARY).parent_path().string() + ":" + std::getenv("PATH");
    Words whole = {"env",
                   "-C",
                   folder_.string(),
                   "PATH=" + path,
                   "HOME=" + folder_.string(),
                   "INTAGLIO_CONFIGS=" + (folder_ / "configs").string()};
    whole.insert(whole.end(), command.begin(), command.end());
    return run_command(whole);
  }

 private:
  const fs::path folder_ = testing::fresh_folder();
};

class Bash : public Completion {
 protected:
  // What is offered in place of the last word. words: as readline splits a line.
  Words offers(Words words) const {
    words.insert(words.begin(), {"bash", "-c",
                                 "source completion.bash; COMP_WORDS=(\"$@\"); "
                                 "COMP_CWORD=$(($# - 1)); _intaglio intaglio; "
                                 "((${#COMPREPLY[@]} == 0)) || printf '%s\\n' \"${COMPREPLY[@]}\"",
                                 "bash", "intaglio"});
    const testing::Ran ran = run(words);
    Words found = lines_of(ran.out);
    std::ranges::sort(found);
    return found;
  }

 private:
  const fs::path script_ = script("bash");
};

TEST_F(Bash, CompletesCommands) {
  EXPECT_EQ(offers({"qu"}), Words{"quantize"});
  EXPECT_EQ(offers({"--quiet", "comp"}), (Words{"compare", "completion"}));
  EXPECT_EQ(offers({"--vers"}), Words{"--version"});
  EXPECT_EQ(offers({"completion", ""}), (Words{"bash", "fish", "presets", "targets", "zsh"}));
}

TEST_F(Bash, CompletesOptionsOfTheCommandAndOfTheProgram) {
  EXPECT_EQ(offers({"quantize", "--form"}), Words{"--format"});
  EXPECT_EQ(offers({"check", "--form"}), Words{});
  EXPECT_EQ(offers({"check", "--th"}), Words{"--threads"});
  EXPECT_EQ(offers({"quantize", "model.onnx", "--json", "--min-agr"}), Words{"--min-agreement"});
}

TEST_F(Bash, CompletesValues) {
  const Words forms = {"dynamic", "matmulnbits", "ncnn", "qdq", "qoperator", "tflite", "weights"};
  EXPECT_EQ(offers({"quantize", "--format", ""}), forms);
  EXPECT_EQ(offers({"quantize", "--format", "="}), forms);
  EXPECT_EQ(offers({"quantize", "--format", "=", "qd"}), Words{"qdq"});
  EXPECT_EQ(offers({"quantize", "--format=qd"}), Words{"--format=qdq"});
  EXPECT_EQ(offers({"quantize", "--keep-float", ""}), Words{"auto"});
  EXPECT_EQ(offers({"quantize", "--method", "per"}), Words{"percentile"});
  EXPECT_EQ(offers({"quantize", "--refine", "shift,eq"}), Words{"shift,equalization"});
  EXPECT_EQ(offers({"evaluate", "--metric", "co"}), Words{"cosine"});
  EXPECT_EQ(offers({"quantize", "--objective", ""}), (Words{"macs", "size"}));
  EXPECT_EQ(offers({"compare", "--objective", "agr"}), Words{"agreement"});
  EXPECT_EQ(offers({"quantize", "--channels", ""}), (Words{"BGR", "GRAY", "RGB"}));
  EXPECT_EQ(offers({"quantize", "--limit", ""}), Words{});
}

TEST_F(Bash, CompletesNamesOfConfigsAndTheUsersOwn) {
  EXPECT_EQ(offers({"check", "--target", "m"}), (Words{"mine", "model.onnx", "my model.onnx"}));
  EXPECT_EQ(offers({"check", "--target", "tensor"}), Words{"tensorrt"});
  EXPECT_EQ(offers({"run", "--preprocess", "myr"}), Words{"myrecipe"});
}

TEST_F(Bash, CompletesFiles) {
  const Words models = {"model.onnx", "my model.onnx"};
  EXPECT_EQ(offers({"quantize", "m"}), models);
  EXPECT_EQ(offers({"quantize", "--json", "m"}), models);
  EXPECT_EQ(offers({"quantize", "--data", "ima"}), Words{"images"});
  EXPECT_EQ(offers({"run", "--input", "x", "=", "mod"}), Words{"model.onnx"});
  EXPECT_EQ(offers({"run", "--data=mod"}), Words{"--data=model.onnx"});
  EXPECT_EQ(offers({"run", "--output-dir", "m"}), Words{});
  EXPECT_EQ(offers({"run", "--output-dir", "i"}), Words{"images"});
  EXPECT_EQ(offers({"merge", "a.statistics", "mod"}), Words{"model.onnx"});
}

// Lines of help that begin with an option.
std::set<std::string> options_in(const std::string& help) {
  std::set<std::string> options;
  for (const std::string& line : lines_of(help))
    if (line.starts_with("  -"))
      if (const std::size_t at = line.find("--"); at != line.npos)
        options.insert(line.substr(at, line.find(' ', at) - at));
  return options;
}

TEST_F(Bash, OffersEveryOptionThatHelpHas) {
  for (const char* command : {"quantize", "calibrate", "merge", "compare", "evaluate", "run",
                              "check", "analyze", "inspect", "preview", "diff", "completion"}) {
    std::set<std::string> missing = options_in(run_program({command, "--help", "all"}).out);
    ASSERT_GE(missing.size(), 4u);
    for (const std::string& offer : offers({command, "--"})) missing.erase(offer);
    EXPECT_TRUE(missing.empty()) << command << " " << *missing.begin();
  }
}

TEST_F(Completion, FishOffersTheSame) {
  if (!has_shell("fish")) GTEST_SKIP() << "there is no fish";
  script("fish");
  const auto offers = [&](const std::string& line) {
    Words found;
    for (const std::string& offer :
         lines_of(run({"fish", "--no-config", "-c",
                       "source completion.fish; complete -C '" + line + "'"})
                      .out))
      found.push_back(offer.substr(0, offer.find('\t')));
    std::ranges::sort(found);
    return found;
  };
  EXPECT_EQ(offers("intaglio qu"), Words{"quantize"});
  EXPECT_EQ(offers("intaglio quantize --form"), Words{"--format"});
  EXPECT_EQ(offers("intaglio check --form"), Words{});
  EXPECT_EQ(offers("intaglio quantize --format q"), (Words{"qdq", "qoperator"}));
  EXPECT_EQ(offers("intaglio quantize --format=qd"), Words{"--format=qdq"});
  EXPECT_EQ(offers("intaglio quantize --objective "), (Words{"macs", "size"}));
  EXPECT_EQ(offers("intaglio check --target tensor"), Words{"tensorrt"});
  EXPECT_EQ(offers("intaglio run --preprocess myr"), Words{"myrecipe"});
  EXPECT_EQ(offers("intaglio quantize mod"), Words{"model.onnx"});
  EXPECT_EQ(offers("intaglio run --output-dir i"), Words{"images/"});
  EXPECT_EQ(offers("intaglio completion z"), Words{"zsh"});
}

// The line after a press of the tabulator, in a shell behind a pseudo-terminal.
constexpr const char* zsh_driver = R"sh(
zmodload zsh/zpty
zpty shell zsh -f -i
said() { local line; while zpty -r shell line $1; do [[ $line == *$2* ]] && break; done; print -r -- $line; }
zpty -w shell 'PS1= PS2= RPS1=; setopt no_beep; unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -D'
zpty -w shell 'source ./completion.zsh; tell() { print -r -- "<$BUFFER>" }; zle -N tell; bindkey "^X" tell; print rea""dy'
said '*ready*' ready >/dev/null
for line in "$@"; do
  zpty -w -n shell "$line"$'\t'$'\x18'
  answer=$(said '*>*' '<')
  answer=${answer##*<}
  print -r -- "${answer%%>*}"
  zpty -w -n shell $'\x15'
done
zpty -d shell
)sh";

TEST_F(Completion, ZshOffersTheSame) {
  if (!has_shell("zsh")) GTEST_SKIP() << "there is no zsh";
  script("zsh");
  Words command = {"timeout", "60", "zsh", "-f", "-c", zsh_driver, "zsh"};
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"intaglio qu", "intaglio quantize "},
      {"intaglio quantize --form", "intaglio quantize --format="},
      {"intaglio quantize --format=qd", "intaglio quantize --format=qdq "},
      {"intaglio quantize --format qo", "intaglio quantize --format qoperator "},
      {"intaglio check --form", "intaglio check --form"},
      {"intaglio check --target tensor", "intaglio check --target tensorrt "},
      {"intaglio run --preprocess=myr", "intaglio run --preprocess=myrecipe "},
      {"intaglio quantize mod", "intaglio quantize model.onnx "},
      {"intaglio compare --objective agr", "intaglio compare --objective agreement "},
      {"intaglio completion fi", "intaglio completion fish "},
  };
  for (const auto& [typed, expected] : lines) command.push_back(typed);
  const testing::Ran ran = run(command);
  const Words answers = lines_of(ran.out);
  ASSERT_EQ(answers.size(), lines.size()) << ran.out << ran.err;
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(answers[i], lines[i].second);
}

TEST(CompletionCommand, RefusesOtherShells) {
  const testing::Ran ran = run_program({"completion", "tcsh"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_TRUE(contains(ran.err, "tcsh")) << ran.err;
}

}  // namespace
}  // namespace intaglio
