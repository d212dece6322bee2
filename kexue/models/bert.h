// BERT: post-norm Transformer encoder with token, position and type
// embeddings. Devlin et al. 2018, arXiv:1810.04805.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kexue/ir/value.h"
#include "kexue/nn/nn.h"

namespace kexue::models {

struct BertConfig {
  int64_t vocab = 0;
  int64_t hidden = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t inner = 0;        // feed-forward width
  int64_t positions = 512;  // rows of the position table
  int64_t types = 2;        // segments
  nn::Activation activation = nn::Activation::kGelu;
  std::string activation_name = "gelu";
  double eps = 1e-12;    // of every LayerNorm
  double dropout = 0.1;  // hidden
  double attention_dropout = 0.1;
  bool pooler = false;              // tanh(W x_[CLS] + b) before the classifier
  std::vector<std::string> labels;  // of the classifier; empty: none
  bool masked_lm = false;           // a head that predicts tokens
};

// Tokens as the model takes them. All [B,T].
struct BertInputs {
  Value ids;    // i32
  Value types;  // i32, 0 or 1
  Value mask;   // bool, true = a real token
};

// Errors: kInvalidArgument if T exceeds the position table, naming both, or
//         if the width is not divisible by the heads.
class Bert final {
 public:
  struct Options {
    BertConfig config;
    bool remat = false;  // the backward pass computes each layer again
  };
  explicit Bert(const Options& options);

  // Last hidden states, f[B,T,D].
  Value encode(const BertInputs& in) const;
  // Classifier logits f[B,C] on the first token.
  Value classify(const BertInputs& in) const;
  // Logits of the tokens at `positions` i32[B,P], f[B P,V]: rows of
  // norm(act(W x + b)) E^T + c, E the word embeddings (tied).
  // Errors: kInvalidArgument if the model has no such head.
  Value predict_tokens(const BertInputs& in, const Value& positions) const;
  // One unit vector a text, f[B,D]: the first token, or the mean over the
  // real tokens; divided by max(length, 1e-12).
  enum class Pooling { kCls, kMean };
  Value embed(const BertInputs& in, Pooling pooling) const;

  const BertConfig& config() const { return options_.config; }
  nn::ParamList parameters() { return nn::parameters(*this); }

  template <class V>
  void visit(V& v) {
    v("embeddings.word", word_);
    v("embeddings.position", position_);
    v("embeddings.type", type_);
    v("embeddings.norm", norm_);
    v("encoder", encoder_);
    if (config().pooler) v("pooler", pooler_);
    if (!config().labels.empty()) v("classifier", classifier_);
    if (config().masked_lm) {
      v("predictions.dense", token_dense_);
      v("predictions.norm", token_norm_);
      v("predictions.bias", token_bias_);
    }
  }

 private:
  Value embeddings(const BertInputs& in) const;

  Options options_;
  nn::Embedding word_, position_, type_;
  nn::LayerNorm norm_;
  nn::Stack<nn::PostNormLayer> encoder_;
  nn::Dense pooler_, classifier_, token_dense_;
  nn::LayerNorm token_norm_;
  nn::Param token_bias_;
};

// Tensor parallel along the mesh axis "model": queries, keys, values and the
// inner feed-forward layer split by output (whole heads if the axis divides
// them), attention output and outer layer by input, so that a layer needs two
// sums over devices; the rest is replicated. `split_vocabulary`: the word table
// by rows as well.
//
// Source: Shoeybi et al. 2019, arXiv:1909.08053, section 3.
nn::ShardingRules bert_sharding(bool split_vocabulary = false);

// Hugging Face's name for one of our parameters ("encoder.ffn.inner.weight"
// is stacked: `layer` picks one; -1 for the others), without "bert.".
// Errors: kInternal for an unknown name.
std::string hugging_face_name(const std::string& ours, int64_t layer);

}  // namespace kexue::models
