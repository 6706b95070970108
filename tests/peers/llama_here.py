"""llama.cpp as this machine can run it: import this before a model is made.

On processors with AMX llama.cpp 0.3.36 crashes on Q4_1 matrices in batches (its own rearranged weights); there it is kept
to weights as they lie in the file.
"""
import llama_cpp.llama_cpp as raw

with open("/proc/cpuinfo") as file:
    HAS_AMX = "amx_tile" in file.read()

if HAS_AMX:
    default_params = raw.llama_model_default_params

    def params_without_rearranged_weights():
        params = default_params()
        params.use_extra_bufts = False
        return params

    raw.llama_model_default_params = params_without_rearranged_weights
