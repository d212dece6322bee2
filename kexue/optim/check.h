// Limits of options. Private to kexue/optim.
#pragma once

namespace kexue::optim::detail {

// Errors (all): kInvalidArgument "rule: wants option in [0,1), got 1".
void want_unit(const char* rule, const char* option, double x);      // [0,1)
void want_share(const char* rule, const char* option, double x);     // (0,1]
void want_positive(const char* rule, const char* option, double x);  // > 0
void want_not_negative(const char* rule, const char* option, double x);

}  // namespace kexue::optim::detail
