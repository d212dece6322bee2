// Every update rule and transform.
#pragma once

#include "kexue/optim/adam.h"
#include "kexue/optim/clip.h"
#include "kexue/optim/decay.h"
#include "kexue/optim/optimizer.h"
#include "kexue/optim/schedule.h"
