// SPDX-License-Identifier: Apache-2.0
// dscd verify MODEL.onnx: every instruction set and every set of passes against the double-precision reference. Where
// an output differs too much, names the first layer that does.
#define _GNU_SOURCE
#include "server/cli/cli.h"
#include "server/cli/cli_engine.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: dscd verify MODEL.onnx [--seed N] [--tolerance T]\n"
                            "\n"
                            "Runs the model on random numbers with every instruction set of this CPU and with no "
                            "passes, each pass alone and all\n"
                            "passes, and compares with a naive double-precision interpreter. A value differs too much "
                            "where it is further than\n"
                            "T (1e-4) times the largest number of its tensor from the reference; exit status 1 then.\n";

typedef struct verify_options {
    uint64_t seed;
    double tolerance;
} verify_options;

// The largest difference of a tensor, relative to its largest number; infinite where one side is not finite.
static double difference(const float *got, const double *wanted, size_t count) {
    double largest = 0, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double apart = fabs((double)got[i] - wanted[i]);
        if (isnan((double)got[i]) && isnan(wanted[i])) continue;
        if (!isfinite(apart)) return (double)got[i] == wanted[i] ? worst : (double)INFINITY;
        if (apart > worst) worst = apart;
        if (fabs(wanted[i]) > largest) largest = fabs(wanted[i]);
    }
    return largest > 0 ? worst / largest : worst;
}

// Looks at every value that the plan still computes, in order of execution, for the first that differs too much.
static bool find_first(const cli_engine *e, const dsc_reference *reference, double tolerance, char *name, size_t size) {
    for (uint32_t i = 0; i < dsc_reference_value_count(reference); i++) {
        const double *wanted;
        float *got;
        dsc_tensor_info info = dsc_reference_value(reference, i, &wanted), kept;
        if (info.dtype != DSC_F32) continue;
        if (dsc_session_value(e->session, info.name, &got, &kept, NULL) != DSC_OK) continue;
        double apart = difference(got, wanted, dsc_tensor_bytes(&kept) / sizeof *got);
        free(got);
        if (apart <= tolerance) continue;
        (void)snprintf(name, size, "%s", info.name);
        return true;
    }
    return false;
}

static double worst_output(const cli_engine *e, const dsc_reference *reference) {
    double worst = 0;
    for (uint32_t i = 0; i < dsc_plan_output_count(e->plan); i++) {
        const double *wanted;
        dsc_tensor_info info = dsc_session_output_info(e->session, i);
        (void)dsc_reference_output(reference, i, &wanted);
        if (info.dtype != DSC_F32) continue;
        size_t count = dsc_tensor_bytes(&info) / sizeof(float);
        worst = fmax(worst, difference(dsc_session_output(e->session, i), wanted, count));
    }
    return worst;
}

static bool check_one(const char *path, const verify_options *o, const cli_engine_options *engine, const char *passes,
                      const dsc_reference *reference, dsc_error *err) {
    char name[300] = "";
    cli_engine e;
    dsc_status status = cli_engine_open(path, engine, &e, err);
    if (status == DSC_OK) cli_engine_fill_inputs(&e, o->seed);
    if (status == DSC_OK) status = dsc_session_run(e.session, NULL, NULL, err);
    bool is_fine = false;
    if (status == DSC_OK) {
        double worst = worst_output(&e, reference);
        is_fine = worst <= o->tolerance;
        bool is_named = !is_fine && find_first(&e, reference, o->tolerance, name, sizeof name);
        printf("%-7s %-16s %9.2e  %s%s%s\n", dsc_isa_name(engine->isa), passes, worst, is_fine ? "ok" : "DIFFERS",
               is_named ? ", first at " : "", name);
    } else {
        printf("%-7s %-16s %9s  %s\n", dsc_isa_name(engine->isa), passes, "-", err->text);
    }
    cli_engine_close(&e);
    return is_fine;
}

static bool check_all(const char *path, const verify_options *o, const dsc_reference *reference, dsc_error *err) {
    bool is_fine = true;
    printf("%-7s %-16s %9s\n", "isa", "passes", "worst");
    for (int isa = DSC_ISA_REF; isa <= (int)dsc_isa_best(); isa++) {
        cli_engine_options engine = cli_engine_defaults();
        engine.isa = (dsc_isa)isa;
        engine.keep_values = true;
        for (uint32_t i = 0; i < dsc_pass_count(); i++) {
            engine.passes = (uint32_t)1 << i;
            is_fine &= check_one(path, o, &engine, dsc_pass_name(i), reference, err);
        }
        engine.passes = 0;
        is_fine &= check_one(path, o, &engine, "none", reference, err);
        engine.passes = DSC_PASSES_ALL;
        is_fine &= check_one(path, o, &engine, "all", reference, err);
    }
    return is_fine;
}

static dsc_status make_reference(const char *path, uint64_t seed, dsc_reference **out, dsc_error *err) {
    cli_engine_options engine = cli_engine_defaults();
    cli_engine e;
    dsc_status status = cli_engine_open(path, &engine, &e, err);
    if (status == DSC_OK) {
        uint32_t count = dsc_plan_input_count(e.plan);
        const void **inputs = calloc(count + 1, sizeof *inputs);
        cli_engine_fill_inputs(&e, seed);
        for (uint32_t i = 0; inputs && i < count; i++) inputs[i] = dsc_session_input(e.session, i);
        status = inputs ? dsc_reference_run(e.model, NULL, 0, inputs, out, err) : DSC_NO_MEMORY;
        free(inputs);
    }
    cli_engine_close(&e);
    return status;
}

int cli_verify(int argc, char **argv) {
    static const struct option options[] = {{"seed", required_argument, NULL, 's'},
                                            {"tolerance", required_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    verify_options o = {1, 1e-4};
    dsc_error err = {DSC_OK, "out of memory"};
    dsc_reference *reference;
    char *end;
    optind = 0;
    for (int c; (c = getopt_long(argc + 1, argv - 1, "", options, NULL)) != -1;) {
        switch (c) {
            case 's':
                if (!cli_number("seed", optarg, 0, UINT64_MAX, &o.seed, &err)) return cli_usage("verify", err.text);
                break;
            case 't':
                o.tolerance = strtod(optarg, &end);
                if (!(o.tolerance > 0 && isfinite(o.tolerance)) || *end != '\0')
                    return cli_usage("verify", "--tolerance must be a positive number");
                break;
            case 'h': fputs(usage, stdout); return CLI_OK;
            default: return CLI_USAGE;
        }
    }
    if (optind != argc) return cli_usage("verify", "name one model file");
    const char *path = argv[optind - 1];
    if (make_reference(path, o.seed, &reference, &err) != DSC_OK) return cli_failed("verify", err.text);
    bool is_fine = check_all(path, &o, reference, &err);
    dsc_reference_free(reference);
    return is_fine ? CLI_OK : cli_failed("verify", "some results differ too much from the reference");
}
