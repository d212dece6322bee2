// Every layer.
#pragma once

#include "kexue/nn/attention.h"
#include "kexue/nn/layers.h"
#include "kexue/nn/param.h"
#include "kexue/nn/stack.h"
