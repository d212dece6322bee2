// Every loss.
#pragma once

#include "kexue/losses/cross_entropy.h"
#include "kexue/losses/divergence.h"
#include "kexue/losses/gradient_penalty.h"
#include "kexue/losses/perturb.h"
