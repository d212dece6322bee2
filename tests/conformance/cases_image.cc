#include "kexue/ops/ops.h"
#include "tests/conformance/cases.h"

namespace kexue::testing {
namespace {

void conv(std::vector<Case>& cases,
          const std::string& id,
          const Shape& x,
          const Shape& kernel,
          const ops::ConvOptions& options = {}) {
  cases.push_back(
      {"conv/" + id, {{x}, {kernel}}, [options](const Values& in) -> Values {
         return {ops::conv(in[0], in[1], options)};
       }});
}

void pool(std::vector<Case>& cases,
          const std::string& id,
          const Shape& shape,
          Value (*f)(const Arg&, const ops::PoolOptions&),
          const ops::PoolOptions& options) {
  cases.push_back({id, {{shape}}, [f, options](const Values& x) -> Values {
                     return {f(x[0], options)};
                   }});
}

}  // namespace

void add_image_cases(std::vector<Case>& c) {
  using ops::Layout;
  using ops::Padding;
  conv(c, "1d", {2, 9, 3}, {3, 3, 4});
  conv(c, "2d", {2, 6, 7, 3}, {3, 3, 3, 4}, {.padding = Padding::both({1, 1})});
  conv(c, "2d_strides", {2, 9, 8, 3}, {3, 2, 3, 4}, {.strides = {2, 3}});
  conv(c,
       "2d_dilated",
       {2, 9, 9, 2},
       {3, 3, 2, 4},
       {.padding = Padding::both({2, 1}), .kernel_dilation = {2, 3}});
  conv(c, "2d_groups", {2, 6, 6, 4}, {3, 3, 2, 6}, {.feature_groups = 2});
  conv(c,
       "2d_channels_first",
       {2, 3, 6, 7},
       {4, 3, 3, 3},
       {.layout = Layout::kChannelsFirst});
  conv(c, "3d", {1, 4, 5, 4, 2}, {2, 2, 2, 2, 3});
  c.push_back({"conv/depthwise",
               {{{2, 6, 6, 3}}, {{3, 3, 3, 2}}},
               [](const Values& x) -> Values {
                 return {ops::depthwise_conv(x[0], x[1])};
               }});
  c.push_back({"conv/transpose",
               {{{2, 4, 5, 3}}, {{3, 3, 3, 4}}},
               [](const Values& x) -> Values {
                 return {ops::conv_transpose(
                     x[0],
                     x[1],
                     {.strides = {2, 2}, .padding = Padding::both({1, 1})})};
               }});
  pool(c, "max_pool", {2, 6, 7, 3}, ops::max_pool, {.window = {2, 2}});
  pool(c,
       "max_pool/padded",
       {2, 7, 7, 3},
       ops::max_pool,
       {.window = {3, 3}, .strides = {2, 2}, .padding = Padding::both({1, 1})});
  pool(c, "average_pool", {2, 6, 8, 3}, ops::average_pool, {.window = {3, 2}});
  pool(c,
       "average_pool/excluded",
       {2, 7, 7, 3},
       ops::average_pool,
       {.window = {3, 3}, .strides = {2, 2}, .padding = Padding::both({1, 1})});
  pool(c,
       "average_pool/included",
       {2, 7, 7, 3},
       ops::average_pool,
       {.window = {3, 3},
        .strides = {2, 2},
        .padding = Padding::both({1, 1}),
        .count_include_pad = true});
  c.push_back(
      {"global_average_pool", {{{2, 4, 5, 3}}}, [](const Values& x) -> Values {
         return {ops::global_average_pool(x[0])};
       }});
  c.push_back(
      {"upsample_nearest", {{{2, 3, 4, 3}}}, [](const Values& x) -> Values {
         return {ops::upsample_nearest(x[0], {2, 3})};
       }});
}

}  // namespace kexue::testing
