// SPDX-License-Identifier: Apache-2.0
// Times engines against each other: starts them all, compares what they compute, and lets them run in turn.
//
//   rounds [--threads N] [--rounds N] [--ms N] [--hog] --input FILE [--folded FILE] MODEL.onnx NAME=COMMAND ...
//
// peer.h says what a COMMAND must do. The first is the one that the others are compared with: an output that differs by
// more than a thousandth of the largest number disqualifies. A NAME that begins with '+' runs the folded file as well.
// Who is not in turn is stopped (SIGSTOP), so that spinning threads disturb nobody. Every process is held to the cores
// 0 to THREADS - 1. With --hog every engine runs with one thread alone, and with two threads beside a process that
// holds core 1.
//
// Prints rows of fields between tabs: network, threads, "quiet" or "hog", engine, version, "plain" or "folded",
// difference or what failed, minimum, median (of the rounds' medians), ms, runs, percent of the peak (0: not known),
// mean, ms.
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RIVALS_MAX 16
#define ROUNDS_MAX 100
#define ANSWER_MS  120000 // who does not answer for so long has failed
#define DIFFERENCE 1e-3   // of the largest number

typedef struct settings {
    int threads, rounds, ms;
    bool has_hog;
    const char *input, *folded, *model;
} settings;

typedef struct rival {
    char name[32], version[64], failure[96], output[512];
    const char *command, *model;
    int threads;
    bool is_beside_hog;
    pid_t pid;
    int to, from;
    double multiplications, difference;
    double min_ns, sum_ns, peak, medians[ROUNDS_MAX];
    long runs;
} rival;

// ---- processes ------------------------------------------------------------------------------------------------------

static void hold_to_cores(int first, int count) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = first; i < first + count; i++) CPU_SET((size_t)i, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void become(const rival *r, const settings *s, int in, int out) {
    char line[4096];
    snprintf(line, sizeof line, "exec %s '%s' %d '%s' '%s'", r->command, r->model, r->threads, s->input, r->output);
    hold_to_cores(0, r->threads);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    char number[16];
    snprintf(number, sizeof number, "%d", r->threads);
    setenv("OMP_NUM_THREADS", number, 1);
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
}

static bool start(rival *r, const settings *s) {
    int there[2], back[2];
    if (pipe2(there, O_CLOEXEC) != 0 || pipe2(back, O_CLOEXEC) != 0) return false;
    r->pid = fork();
    if (r->pid == 0) become(r, s, there[0], back[1]);
    close(there[0]);
    close(back[1]);
    r->to = there[1];
    r->from = back[0];
    return r->pid > 0;
}

// One line without its end; false where none comes in time.
static bool hear(const rival *r, char *line, size_t size) {
    size_t used = 0;
    struct pollfd waiting = {.fd = r->from, .events = POLLIN};
    while (used + 1 < size && poll(&waiting, 1, ANSWER_MS) == 1 && read(r->from, line + used, 1) == 1) {
        if (line[used] == '\n') {
            line[used] = '\0';
            return true;
        }
        used++;
    }
    return false;
}

static pid_t start_hog(void) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    hold_to_cores(1, 1);
    for (volatile unsigned long count = 0;;) count++;
}

static void end_process(pid_t pid) {
    if (pid <= 0) return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void fail(rival *r, const char *why) {
    snprintf(r->failure, sizeof r->failure, "%s", why);
    fprintf(stderr, "%s: %s\n", r->name, why);
    end_process(r->pid);
    r->pid = 0;
}

// ---- outputs --------------------------------------------------------------------------------------------------------

static float *read_floats(const char *path, size_t *count) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    long bytes = ftell(file);
    rewind(file);
    float *data = bytes > 0 ? malloc((size_t)bytes) : NULL;
    *count = data ? fread(data, sizeof *data, (size_t)bytes / sizeof *data, file) : 0;
    fclose(file);
    return data;
}

// The largest difference in parts of the largest number; infinite where the shapes or the numbers cannot be compared.
static double compare(const char *expected_path, const char *path) {
    size_t expected_count = 0, count = 0;
    double most = 0, difference = 0;
    float *expected = read_floats(expected_path, &expected_count), *got = read_floats(path, &count);
    bool is_whole = expected && got && count == expected_count;
    for (size_t i = 0; is_whole && i < count; i++) {
        double d = fabs((double)expected[i] - (double)got[i]);
        most = fmax(most, fabs((double)expected[i]));
        if (!(d <= difference)) difference = d; // a NaN, too
    }
    free(expected);
    free(got);
    return is_whole && most > 0 && difference == difference ? difference / most : (double)INFINITY;
}

static void introduce(rival *r, const rival *first, const settings *s) {
    char line[256];
    if (!start(r, s) || !hear(r, line, sizeof line) ||
        sscanf(line, "ready %lf %63s", &r->multiplications, r->version) != 2) {
        fail(r, "did not start");
        return;
    }
    kill(r->pid, SIGSTOP);
    r->difference = compare(first->output, r->output);
    if (!(r->difference <= DIFFERENCE)) {
        char why[64];
        snprintf(why, sizeof why, "its output differs by %.1e", r->difference);
        fail(r, why);
    }
}

// ---- rounds ---------------------------------------------------------------------------------------------------------

static void take_turn(rival *r, int round, int ms) {
    char line[256];
    double min, median, mean, peak;
    long runs;
    pid_t hog = r->is_beside_hog ? start_hog() : 0;
    kill(r->pid, SIGCONT);
    bool is_fine = dprintf(r->to, "%d\n", ms) > 0 && hear(r, line, sizeof line) &&
                   sscanf(line, "%lf %lf %lf %ld %lf", &min, &median, &mean, &runs, &peak) == 5;
    end_process(hog);
    if (!is_fine) {
        fail(r, "gave no times");
        return;
    }
    kill(r->pid, SIGSTOP);
    if (round == 0 || min < r->min_ns) r->min_ns = min;
    if (peak > r->peak) r->peak = peak;
    r->medians[round] = median;
    r->sum_ns += mean * (double)runs;
    r->runs += runs;
}

static int by_value(const void *x, const void *y) {
    double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

static void print(rival *r, const settings *s) {
    const char *slash = strrchr(s->model, '/'), *name = slash ? slash + 1 : s->model;
    qsort(r->medians, (size_t)s->rounds, sizeof *r->medians, by_value);
    double percent = r->peak > 0 ? 200 * r->multiplications / r->min_ns / (r->peak * r->threads) : 0;
    printf("%.*s\t%d\t%s\t%s\t%s\t%s\t", (int)strcspn(name, "."), name, r->threads, r->is_beside_hog ? "hog" : "quiet",
           r->name, r->version, strstr(r->model, "/folded/") ? "folded" : "plain");
    if (*r->failure) {
        printf("%s\t0\t0\t0\t0\t0\n", r->failure);
    } else {
        printf("%.1e\t%.4f\t%.4f\t%ld\t%.1f\t%.4f\n", r->difference, r->min_ns / 1e6, r->medians[s->rounds / 2] / 1e6,
               r->runs, percent, r->sum_ns / (double)r->runs / 1e6);
    }
}

// ---- the field ------------------------------------------------------------------------------------------------------

// NAME=COMMAND: one rival; two with both files, twice as many with a hog.
static int enter(rival *field, int count, const settings *s, const char *entry) {
    bool has_both = *entry == '+' && s->folded;
    if (*entry == '+') entry++;
    size_t length = strcspn(entry, "=");
    for (int i = 0; i < (has_both ? 2 : 1) * (s->has_hog ? 2 : 1) && count < RIVALS_MAX; i++, count++) {
        rival *r = &field[count];
        *r = (rival){.command = entry + length + (entry[length] == '='), .threads = s->threads};
        snprintf(r->name, sizeof r->name, "%.*s", (int)length, entry);
        snprintf(r->output, sizeof r->output, "%s.answer%d", s->input, count);
        r->model = has_both && i % 2 == 1 ? s->folded : s->model;
        r->is_beside_hog = s->has_hog && i >= (has_both ? 2 : 1);
        if (s->has_hog) r->threads = r->is_beside_hog ? 2 : 1;
    }
    return count;
}

static int run(const settings *s, char **entries) {
    static rival field[RIVALS_MAX];
    int count = 0;
    for (; *entries; entries++) count = enter(field, count, s, *entries);
    for (int i = 0; i < count; i++) introduce(&field[i], &field[0], s);
    for (int round = 0; round < s->rounds && !*field[0].failure; round++) {
        for (int i = 0; i < count; i++) {
            if (field[i].pid > 0) take_turn(&field[i], round, s->ms);
        }
    }
    for (int i = 0; i < count; i++) {
        end_process(field[i].pid);
        unlink(field[i].output);
        if (!*field[0].failure) print(&field[i], s);
    }
    return *field[0].failure ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int number(const char *text, int limit) {
    char *end;
    long n = strtol(text, &end, 10);
    return *end == '\0' && n >= 1 && n <= limit ? (int)n : 0;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"threads", required_argument, NULL, 't'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"ms", required_argument, NULL, 'm'},
                                            {"hog", no_argument, NULL, 'h'},
                                            {"input", required_argument, NULL, 'i'},
                                            {"folded", required_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    settings s = {.threads = 1, .rounds = 5, .ms = 300};
    for (int c; (c = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        switch (c) {
            case 't': s.threads = number(optarg, CPU_SETSIZE); break;
            case 'r': s.rounds = number(optarg, ROUNDS_MAX); break;
            case 'm': s.ms = number(optarg, 60000); break;
            case 'h': s.has_hog = true; break;
            case 'i': s.input = optarg; break;
            case 'f': s.folded = optarg; break;
            default: return 2;
        }
    }
    if (!s.threads || !s.rounds || !s.ms || !s.input || argc - optind < 2) {
        fputs("usage: rounds [--threads N] [--rounds N] [--ms N] [--hog] --input FILE [--folded FILE] MODEL.onnx "
              "[+]NAME=COMMAND ...\n",
              stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    s.model = argv[optind];
    return run(&s, argv + optind + 1);
}
