#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "kexue/cli/command_group.h"
#include "kexue/cli/commands.h"
#include "kexue/cli/console.h"
#include "kexue/cli/wordfreq.h"

namespace kexue::cli {
namespace {

Run declare_predict(CLI::App& app) {
  auto o = std::make_shared<PredictOptions>();
  add_text(app, o->text, "--input", kLines, "--precision");
  return [o](Console& console) { return run_predict(*o, console); };
}

Run declare_embed(CLI::App& app) {
  auto o = std::make_shared<EmbedOptions>();
  app.add_option("--pooling",
                 o->pooling,
                 "of tokens to one vector; default: what the folder's "
                 "1_Pooling/config.json says, else cls")
      ->check(CLI::IsMember({"cls", "mean"}));
  add_text(app, o->text, "--input", kLines, "--dtype");
  return [o](Console& console) { return run_embed(*o, console); };
}

Run declare_rerank(CLI::App& app) {
  auto o = std::make_shared<RerankOptions>();
  add_text(app, o->text, "--input", "lines query<TAB>passage", "--precision");
  return [o](Console& console) { return run_rerank(*o, console); };
}

Run declare_tokenize(CLI::App& app) {
  auto o = std::make_shared<TokenizeOptions>();
  app.add_option("--model", o->model, "folder with tokenizer.json or vocab.txt")
      ->type_name("DIR");
  app.add_option("--vocab", o->vocab, "a vocabulary alone, in place of --model")
      ->type_name("FILE");
  app.add_flag("--cased", o->cased, "with --vocab: keep case and accents");
  app.add_option("--input", o->input, kLines)->type_name("FILE");
  app.add_flag("--no-special", o->no_special, "leave out [CLS] and [SEP]");
  app.add_option("--max-length", o->max_length, "tokens of a text; 0: no limit")
      ->check(CLI::Range(0, 1 << 30));
  app.add_flag("--skip-bad",
               o->skip_bad,
               "leave out lines that are empty or not UTF-8, and count them");
  return [o](Console& console) { return run_tokenize(*o, console); };
}

Run declare_wordfreq(CLI::App& app) {
  auto o = std::make_shared<WordfreqOptions>();
  app.add_option("inputs", o->inputs, "files, folders, or -: standard input")
      ->type_name("FILES|DIR|-");
  app.add_option("--tokenizer", o->tokenizer, "what a word is")
      ->check(CLI::IsMember({"ws", "unicode", "jieba", "wordpiece", "bpe"}))
      ->capture_default_str();
  app.add_option("--model", o->model, "folder of jieba, wordpiece or bpe")
      ->type_name("DIR");
  app.add_option("--threads", o->threads, "0: all cores")
      ->check(CLI::Range(0, 1024));
  app.add_option("--mode", o->mode, "how to count; all give the same table")
      ->check(CLI::IsMember({"naive", "batched", "radix", "auto"}))
      ->capture_default_str();
  app.add_option("--batch", o->batch, "lines in a batch of --mode batched")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  app.add_option("--top", o->top, "only the K most frequent tokens")
      ->type_name("K")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  app.add_option("--min-count", o->min_count, "only tokens as frequent as that")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--out", o->out, "write the table there")
      ->type_name("FILE.tsv");
  app.add_flag("--strict", o->strict, "broken UTF-8 is an error");
  app.add_flag("--mmap", o->map_files, "read files through mmap");
  app.add_option("--memory", o->memory_mb, "MiB of tables; 0: half of the free")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 30));
  app.add_option("--spill",
                 o->spill_folder,
                 "for tables beyond that; "
                 "default: $TMPDIR, else /tmp")
      ->type_name("DIR");
  app.add_flag("--bench", o->bench, "time all modes, taking turns");
  app.add_option("--repeats", o->repeats, "of each mode in --bench")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--page", o->page, "write the bench as a page, too")
      ->type_name("FILE.html");
  return [o](Console& console) { return run_wordfreq(*o, console); };
}

constexpr std::array kCommands = {
    Command{"predict",
            "Label and probability of each line of text",
            "echo TEXT | kexue predict --model runs/demo/model",
            declare_predict},
    Command{"embed",
            "Unit vectors as JSON lines {text, embedding}",
            "kexue embed --model .cache/kexue/data/minilm --pooling mean "
            "--input lines.txt",
            declare_embed},
    Command{"rerank",
            "Scores of pairs as JSON lines {query, passage, logit}",
            "kexue rerank --model .cache/kexue/data/reranker/reranker_en "
            "--input pairs.tsv",
            declare_rerank},
    Command{"tokenize",
            "WordPiece ids as JSON lines {text, ids, tokens}",
            "echo TEXT | kexue tokenize --model .cache/kexue/data/bge_zh",
            declare_tokenize},
    Command{"wordfreq",
            "Count the words of files, folders and streams",
            "kexue wordfreq corpus/ --tokenizer jieba --top 50",
            declare_wordfreq},
};

}  // namespace

CommandGroup text_commands() {
  return {"Text", kCommands};
}

}  // namespace kexue::cli
