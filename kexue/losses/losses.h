// Every loss.
#pragma once

#include "kexue/losses/cross_entropy.h"
