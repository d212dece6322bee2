// Everything in kexue/ops.
#pragma once

#include "kexue/ops/control.h"
#include "kexue/ops/cumulative.h"
#include "kexue/ops/custom_vjp.h"
#include "kexue/ops/distributions.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/fused.h"
#include "kexue/ops/gather.h"
#include "kexue/ops/index.h"
#include "kexue/ops/linalg.h"
#include "kexue/ops/random.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/remat.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/sort.h"
#include "kexue/ops/unary.h"
