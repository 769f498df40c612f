/* A search on a processor: plain Transformer layers that read the source, one step of those that say words, and the
choice of words.

The slow twins are Transformer.forward of encoder and decoder, torch.log_softmax and search.best.by_torch. float32
throughout; sizes of layers and heads, and places of the source, are multiples of 16. Vectors are GCC's and Clang's own;
their width W, and how many rows a product takes at once, are what the processor's registers hold. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define W 16
#define ROWS 8
#elif defined(__AVX__)
#define W 8
#define ROWS 6
#else
#define W 4
#define ROWS 4
#endif
#define PANEL 2
#define COLUMNS (PANEL * W)
typedef float floats __attribute__((vector_size(4 * W)));
typedef int32_t ints __attribute__((vector_size(4 * W)));
#define INLINE static inline __attribute__((always_inline))

INLINE floats load(const float *from) {
    floats x;
    memcpy(&x, from, sizeof x);
    return x;
}

INLINE void store(float *to, floats x) { memcpy(to, &x, sizeof x); }

INLINE floats all(float x) { return (floats){0} + x; }

INLINE floats choose(ints which, floats a, floats b) {
    ints x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = (which & x) | (~which & y);
    memcpy(&a, &x, sizeof a);
    return a;
}

/* Of a vector, by parts: one number after another would wait for each. */
typedef float four __attribute__((vector_size(16)));
INLINE float sum(floats x) {
    four parts[W / 4], total;
    memcpy(parts, &x, sizeof x);
    total = parts[0];
    for (int i = 1; i < W / 4; i++) total += parts[i];
    return (total[0] + total[1]) + (total[2] + total[3]);
}

INLINE float highest(floats x) {
    float most = x[0];
    for (int i = 1; i < W; i++) most = x[i] > most ? x[i] : most;
    return most;
}

/* e^x = 2^n e^r, r = x - n ln 2 between -ln 2 / 2 and ln 2 / 2; the polynomial is Cephes' (Moshier). Below -87 about 0.
Adding ROUNDING to a number leaves n in the last bits. */
#define ROUNDING 12582912.0f
INLINE floats exponential(floats x) {
    x = choose(x < -87.0f, all(-87.0f), x); /* what is no number stays none */
    floats n = x * 1.44269504088896341f + ROUNDING;
    ints bits;
    memcpy(&bits, &n, sizeof bits);
    n -= ROUNDING;
    x = x - n * 0.693359375f + n * 2.12194440e-4f;
    floats y = all(1.9875691500e-4f);
    y = y * x + 1.3981999507e-3f;
    y = y * x + 8.3334519073e-3f;
    y = y * x + 4.1665795894e-2f;
    y = y * x + 1.6666665459e-1f;
    y = y * x + 5.0000001201e-1f;
    y = y * (x * x) + x + 1.0f;
    bits = (bits << 23) + (127 << 23);
    floats power;
    memcpy(&power, &bits, sizeof power);
    return y * power;
}

/* Products: a weight [out, in] lies in panels of COLUMNS of its rows, [panel, in, COLUMNS]; zeros fill the last one. */

typedef struct {
    const float *panels, *bias;
    int64_t out, in;
} product;

INLINE void tile(int rows, const float *x, int64_t in, const float *panel, floats sums[ROWS][PANEL]) {
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < PANEL; c++) sums[r][c] = (floats){0};
    for (int64_t i = 0; i < in; i++, panel += COLUMNS) {
        floats right[PANEL];
        for (int c = 0; c < PANEL; c++) right[c] = load(panel + c * W);
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < PANEL; c++) sums[r][c] += x[r * in + i] * right[c];
    }
}

enum { PLAIN, RELU, ONTO };

INLINE void rows_of(int rows, const product *p, const float *x, const float *panel, int64_t column, float *to, int how) {
    floats sums[ROWS][PANEL];
    tile(rows, x, p->in, panel, sums);
    for (int r = 0; r < rows; r++, to += p->out)
        for (int c = 0; c < PANEL && column + c * W < p->out; c++) {
            int64_t left = p->out - column - c * W;
            floats y = sums[r][c], bias = {0}, before = {0};
            if (left >= W) {
                if (p->bias) bias = load(p->bias + column + c * W);
                if (how == ONTO) before = load(to + c * W);
            } else { /* the last of a row, behind which the next one begins */
                if (p->bias) memcpy(&bias, p->bias + column + c * W, left * sizeof(float));
                if (how == ONTO) memcpy(&before, to + c * W, left * sizeof(float));
            }
            y += bias;
            if (how == RELU) y = choose(y < 0, all(0), y); /* what is no number stays none */
            y += before;
            if (left >= W)
                store(to + c * W, y);
            else
                memcpy(to + c * W, &y, left * sizeof(float));
        }
}

/* to = x weight^T + bias, or added to it */
INLINE void multiply(const product *p, const float *x, int64_t rows, float *to, int how) {
    for (int64_t column = 0; column < p->out; column += COLUMNS) {
        const float *panel = p->panels + column * p->in;
        int64_t row = 0;
        for (; row + ROWS <= rows; row += ROWS)
            rows_of(ROWS, p, x + row * p->in, panel, column, to + row * p->out + column, how);
        const float *rest = x + row * p->in;
        float *there = to + row * p->out + column;
        switch (rows - row) {
        case 1: rows_of(1, p, rest, panel, column, there, how); break;
        case 2: rows_of(2, p, rest, panel, column, there, how); break;
        case 3: rows_of(3, p, rest, panel, column, there, how); break;
#if ROWS > 4
        case 4: rows_of(4, p, rest, panel, column, there, how); break;
        case 5: rows_of(5, p, rest, panel, column, there, how); break;
#endif
#if ROWS > 6
        case 6: rows_of(6, p, rest, panel, column, there, how); break;
        case 7: rows_of(7, p, rest, panel, column, there, how); break;
#endif
        }
    }
}

static void multiply_plain(const product *p, const float *x, int64_t rows, float *to) { multiply(p, x, rows, to, PLAIN); }
static void multiply_relu(const product *p, const float *x, int64_t rows, float *to) { multiply(p, x, rows, to, RELU); }
static void multiply_onto(const product *p, const float *x, int64_t rows, float *to) { multiply(p, x, rows, to, ONTO); }

typedef struct {
    const float *weight, *bias;
    float eps;
} norm;

static void normalize(const norm *by, const float *x, int64_t rows, int64_t size, float *to) {
    for (; rows > 0; rows--, x += size, to += size) {
        floats total = {0}, squares = {0};
        for (int64_t i = 0; i < size; i += W) total += load(x + i);
        float mean = sum(total) / size;
        for (int64_t i = 0; i < size; i += W) {
            floats away = load(x + i) - mean;
            squares += away * away;
        }
        float scale = 1.0f / sqrtf(sum(squares) / size + by->eps);
        for (int64_t i = 0; i < size; i += W)
            store(to + i, (load(x + i) - mean) * scale * load(by->weight + i) + load(by->bias + i));
    }
}

typedef struct {
    product asked, found, wide, narrow, source_asked, source_found;
    norm norms[3];
    float *words;               /* [sentence, group, capacity, key and value] */
    const float *keys, *values; /* of the source: [sentence, group, size, place], [sentence, group, place, size] */
} layer;

typedef struct {
    int64_t groups, shared, size; /* heads that have keys; heads that share one; of a head */
    float scale;
} heads;

typedef struct {
    const layer *layers;
    int64_t count, aligned, dim, inner, pre, residual;
    heads own, source;
    int64_t width, capacity, places, first, source_places;
    const int64_t *numbers;          /* [sentence]: which it is of the words, keys and values */
    const float *mask, *source_mask; /* [hypothesis, place], [sentence, place]: 0, or -inf of what is not seen */
    float *states;                   /* [hypothesis, dim], taken and given */
    float *weights;                  /* of the layer `aligned`: [sentence, group, hypothesis, shared, place] */
} request;

/* sum of weights[i] rows[i], for `vectors` vectors of each row; every second row has a sum of its own, so that additions
need not wait for one another. Rows are `apart`, or where `seen` says. */
INLINE void mix(int vectors, const float *weights, const float *rows, int64_t apart, const int32_t *seen, int64_t count,
                float by, float *to) {
    floats even[4], odd[4];
    for (int v = 0; v < vectors; v++) even[v] = odd[v] = (floats){0};
    int64_t i = 0;
    for (; i + 2 <= count; i += 2) {
        const float *one = rows + (seen ? seen[i] : i) * apart, *other = rows + (seen ? seen[i + 1] : i + 1) * apart;
        for (int v = 0; v < vectors; v++) {
            even[v] += weights[i] * load(one + v * W);
            odd[v] += weights[i + 1] * load(other + v * W);
        }
    }
    if (i < count)
        for (int v = 0; v < vectors; v++) even[v] += weights[i] * load(rows + (seen ? seen[i] : i) * apart + v * W);
    for (int v = 0; v < vectors; v++) store(to + v * W, (even[v] + odd[v]) * by);
}

INLINE void mean(const float *weights, const float *rows, int64_t apart, const int32_t *seen, int64_t count, int64_t size,
                 float by, float *to) {
    int64_t e = 0;
    for (; e + 4 * W <= size; e += 4 * W) mix(4, weights, rows + e, apart, seen, count, by, to + e);
    for (; e + 2 * W <= size; e += 2 * W) mix(2, weights, rows + e, apart, seen, count, by, to + e);
    for (; e < size; e += W) mix(1, weights, rows + e, apart, seen, count, by, to + e);
}

/* Scores, in whole vectors, become e^(score - most), and 0 where nothing is seen; given is what makes their sum 1. */
INLINE float weigh(float *scores, int64_t count, float most) {
    floats total = {0};
    for (int64_t i = 0; i < count; i += W) {
        floats x = load(scores + i);
        x = choose(x == all(-INFINITY), all(0), exponential(x - most));
        store(scores + i, x);
        total += x;
    }
    return 1 / sum(total);
}

/* softmax(scale query K^T) V over the places `seen`: their keys, values behind them, are `apart` from one another. There
is room for `count` + W scores. */
INLINE void look(const float *query, const float *pairs, int64_t apart, const int32_t *seen, int64_t count, heads by,
                 float *scores, float *found) {
    float most = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        floats terms = {0};
        for (int64_t e = 0; e < by.size; e += W) terms += load(query + e) * load(pairs + seen[i] * apart + e);
        scores[i] = by.scale * sum(terms);
        most = scores[i] > most ? scores[i] : most;
    }
    for (int64_t i = count; i < count + W; i++) scores[i] = -INFINITY;
    float scale = weigh(scores, count, most);
    mean(scores, pairs + by.size, apart, seen, count, by.size, scale, found);
}

/* For each hypothesis how many places its mask shows, and which. */
static void see(const request *of, int64_t begin, int64_t end, int32_t *seen) {
    const float *mask = of->mask + begin * of->width * of->places;
    for (int64_t n = (end - begin) * of->width; n > 0; n--, mask += of->places, seen += of->places + 1) {
        int32_t count = 0;
        for (int64_t p = 0; p < of->places; p += W) {
            ints shown = load(mask + p) == all(0);
            for (int i = 0; i < W; i++) {
                seen[1 + count] = (int32_t)p + i;
                count -= shown[i];
            }
        }
        seen[0] = count;
    }
}

/* Keys and values of the new words go to their places; each hypothesis attends to the places that its mask shows. */
static void attend_words(const request *of, const layer *it, int64_t begin, int64_t end, const float *asked,
                         const int32_t *seen, float *found) {
    heads by = of->own;
    int64_t group = (by.shared + 2) * by.size, row = by.groups * group, pair = 2 * by.size;
    float scores[of->places + W];
    for (int64_t s = begin; s < end; s++) {
        float *words = it->words + of->numbers[s] * by.groups * of->capacity * pair;
        const float *queries = asked + (s - begin) * of->width * row;
        for (int64_t h = 0; h < of->width; h++)
            for (int64_t g = 0; g < by.groups; g++)
                memcpy(words + (g * of->capacity + of->first + h) * pair, queries + h * row + g * group + by.shared * by.size,
                       pair * sizeof(float));
        for (int64_t h = 0; h < of->width; h++) {
            const int32_t *own = seen + ((s - begin) * of->width + h) * (of->places + 1);
            for (int64_t g = 0; g < by.groups; g++)
                for (int64_t r = 0; r < by.shared; r++, found += by.size) {
                    const float *query = queries + h * row + g * group + r * by.size;
                    look(query, words + g * of->capacity * pair, pair, own + 1, own[0], by, scores, found);
                }
        }
    }
}

static void attend_source(const request *of, const layer *it, int64_t begin, int64_t end, const float *asked, float *found,
                          float *weights) {
    heads by = of->source;
    int64_t places = of->source_places, whole = by.groups * by.shared * by.size;
    float unkept[places];
    for (int64_t s = begin; s < end; s++) {
        const float *mask = of->source_mask + s * places;
        for (int64_t g = 0; g < by.groups; g++) {
            int64_t head = (of->numbers[s] * by.groups + g) * by.size * places;
            const float *keys = it->keys + head, *values = it->values + head;
            for (int64_t h = 0; h < of->width; h++)
                for (int64_t r = 0; r < by.shared; r++) {
                    int64_t at = ((s - begin) * of->width + h) * whole + (g * by.shared + r) * by.size;
                    const float *query = asked + at;
                    float *to = weights ? weights + (((s * by.groups + g) * of->width + h) * by.shared + r) * places : unkept;
                    floats most = all(-INFINITY);
                    for (int64_t p = 0; p < places; p += W) {
                        floats scores[4] = {{0}};
                        for (int64_t e = 0; e < by.size; e += 4)
                            for (int c = 0; c < 4; c++) scores[c] += query[e + c] * load(keys + (e + c) * places + p);
                        floats score = (scores[0] + scores[1]) + (scores[2] + scores[3]);
                        score = score * by.scale + load(mask + p);
                        store(to + p, score);
                        most = choose(score > most, score, most);
                    }
                    float by_all = weigh(to, places, highest(most));
                    if (weights)
                        for (int64_t p = 0; p < places; p += W) store(to + p, load(to + p) * by_all);
                    mean(to, values, by.size, 0, places, by.size, weights ? 1 : by_all, found + at);
                }
        }
    }
}

INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* What one word is asked for, with its key and value, and what is found for it. */
INLINE int64_t asked_of(heads by) { return by.groups * (by.shared + 2) * by.size; }
INLINE int64_t found_of(heads by) { return by.groups * by.shared * by.size; }
INLINE int64_t most_asked(const request *of) { return larger(larger(asked_of(of->own), found_of(of->source)), of->inner); }
INLINE int64_t most_found(const request *of) { return larger(found_of(of->own), found_of(of->source)); }

/* How many numbers a step of so many hypotheses writes to on its way. */
int64_t attnlab_room(const request *of, int64_t rows) {
    return rows * (of->dim + most_asked(of) + most_found(of) + of->places + 1);
}

/* The step, for the hypotheses of the sentences from `begin` to before `end`. */
void attnlab_step(const request *of, int64_t begin, int64_t end, float *room) {
    int64_t rows = (end - begin) * of->width, dim = of->dim;
    float *states = of->states + begin * of->width * dim, *normed = room, *found = normed + rows * dim;
    float *asked = found + rows * most_found(of);
    int32_t *seen = (int32_t *)(asked + rows * most_asked(of));
    see(of, begin, end, seen);
    void (*after)(const product *, const float *, int64_t, float *) = of->residual ? multiply_onto : multiply_plain;
    for (int64_t number = 0; number < of->count; number++) {
        const layer *it = of->layers + number;
        const float *in = of->pre ? normed : states;
        if (of->pre) normalize(it->norms, states, rows, dim, normed);
        multiply_plain(&it->asked, in, rows, asked);
        attend_words(of, it, begin, end, asked, seen, found);
        after(&it->found, found, rows, states);
        normalize(it->norms + of->pre, states, rows, dim, of->pre ? normed : states);
        multiply_plain(&it->source_asked, in, rows, asked);
        attend_source(of, it, begin, end, asked, found, number == of->aligned ? of->weights : 0);
        after(&it->source_found, found, rows, states);
        normalize(it->norms + 1 + of->pre, states, rows, dim, of->pre ? normed : states);
        multiply_relu(&it->wide, in, rows, asked);
        after(&it->narrow, asked, rows, states);
        if (!of->pre) normalize(it->norms + 2, states, rows, dim, states);
    }
}

typedef struct {
    product asked, found, wide, narrow;
    norm norms[2];
} reading;

typedef struct {
    const reading *layers;
    int64_t count, dim, inner, pre, residual;
    heads own;
    int64_t longest;
    const unsigned char *mask; /* [sentence, word]: whether it is one */
    float *states;             /* [sentence, word, dim], taken and given */
} source_request;

int64_t attnlab_source_room(const source_request *of, int64_t sentences) {
    return sentences * of->longest * (of->dim + larger(asked_of(of->own), of->inner) + found_of(of->own));
}

/* Words of the source that look at one another, for the sentences from `begin` to before `end`. */
void attnlab_read(const source_request *of, int64_t begin, int64_t end, float *room) {
    heads by = of->own;
    int64_t longest = of->longest, rows = (end - begin) * longest, dim = of->dim;
    int64_t group = (by.shared + 2) * by.size, row = asked_of(by);
    float *states = of->states + begin * longest * dim, *normed = room, *found = normed + rows * dim;
    float *asked = found + rows * found_of(by);
    int32_t seen[longest + 1];
    float scores[longest + W];
    void (*after)(const product *, const float *, int64_t, float *) = of->residual ? multiply_onto : multiply_plain;
    for (int64_t number = 0; number < of->count; number++) {
        const reading *it = of->layers + number;
        const float *in = of->pre ? normed : states;
        if (of->pre) normalize(it->norms, states, rows, dim, normed);
        multiply_plain(&it->asked, in, rows, asked);
        float *to = found;
        for (int64_t s = begin; s < end; s++) {
            const float *of_sentence = asked + (s - begin) * longest * row;
            int64_t count = 0;
            for (int64_t p = 0; p < longest; p++) {
                seen[count] = (int32_t)p;
                count += of->mask[s * longest + p] != 0;
            }
            for (int64_t p = 0; p < longest; p++)
                for (int64_t g = 0; g < by.groups; g++)
                    for (int64_t r = 0; r < by.shared; r++, to += by.size) {
                        const float *pairs = of_sentence + g * group + by.shared * by.size;
                        look(of_sentence + p * row + g * group + r * by.size, pairs, row, seen, count, by, scores, to);
                    }
        }
        after(&it->found, found, rows, states);
        normalize(it->norms + of->pre, states, rows, dim, of->pre ? normed : states);
        multiply_relu(&it->wide, in, rows, asked);
        after(&it->narrow, asked, rows, states);
        if (!of->pre) normalize(it->norms + 1, states, rows, dim, states);
    }
}

int64_t attnlab_columns(void) { return COLUMNS; }

/* A weight [out, in] in panels, as products take it. */
void attnlab_lay_out(const float *weight, int64_t out, int64_t in, float *to) {
    for (int64_t first = 0; first < out; first += COLUMNS, to += in * COLUMNS) {
        int64_t columns = out - first < COLUMNS ? out - first : COLUMNS;
        for (int64_t i = 0; i < in; i++)
            for (int64_t c = columns; c < COLUMNS; c++) to[i * COLUMNS + c] = 0;
        for (int64_t c = 0; c < columns; c++)
            for (int64_t i = 0; i < in; i++) to[i * COLUMNS + c] = weight[(first + c) * in + i];
    }
}

/* to = x weight^T + bias, or added to it */
void attnlab_product(const product *p, const float *x, int64_t rows, float *to, int64_t onto) {
    if (onto)
        multiply_onto(p, x, rows, to);
    else
        multiply_plain(p, x, rows, to);
}

/* Logits become ln p, in place. */
void attnlab_log_softmax(float *x, int64_t rows, int64_t size) {
    for (; rows > 0; rows--, x += size) {
        floats most = all(-INFINITY), total = {0};
        int64_t i = 0;
        for (; i + W <= size; i += W) most = choose(load(x + i) > most, load(x + i), most);
        float top = highest(most), rest = 0;
        for (int64_t j = i; j < size; j++) top = x[j] > top ? x[j] : top;
        for (int64_t j = 0; j < i; j += W) total += exponential(load(x + j) - top);
        for (int64_t j = i; j < size; j++) rest += expf(x[j] - top);
        float by = top + logf(sum(total) + rest);
        for (int64_t j = 0; j < i; j += W) store(x + j, load(x + j) - by);
        for (int64_t j = i; j < size; j++) x[j] -= by;
    }
}

#define BLOCK (4 * W)

/* The k best of each sentence, best first: values and places among its `each` rows of `size` numbers, to which `before`
is added (0 where there is none). Of equals the first; what is no number is the highest, as for torch. */
void attnlab_best(const float *scores, const float *before, int64_t sentences, int64_t each, int64_t size, int64_t k,
                  float *values, int64_t *places) {
    for (int64_t s = 0; s < sentences; s++, values += k, places += k) {
        int64_t count = 0;
        for (int64_t h = 0; h < each; h++) {
            float ahead = before ? before[s * each + h] : 0;
            const float *row = scores + (s * each + h) * size;
            for (int64_t i = 0; i < size; i += BLOCK) {
                int64_t end = i + BLOCK < size ? i + BLOCK : size;
                if (count == k && end == i + BLOCK) {
                    ints above = {0};
                    for (int64_t j = i; j < end; j += W) above |= ~(load(row + j) + ahead <= all(values[k - 1]));
                    int64_t parts[W / 2], any = 0;
                    memcpy(parts, &above, sizeof parts);
                    for (int j = 0; j < W / 2; j++) any |= parts[j];
                    if (!any) continue;
                }
                for (int64_t j = i; j < end; j++) {
                    float x = row[j] + ahead;
                    if (count == k && x <= values[k - 1]) continue;
                    int64_t to = count;
                    while (to > 0 && (x > values[to - 1] || (x != x && values[to - 1] == values[to - 1]))) to--;
                    if (to == k) continue;
                    count += count < k;
                    memmove(values + to + 1, values + to, (count - 1 - to) * sizeof *values);
                    memmove(places + to + 1, places + to, (count - 1 - to) * sizeof *places);
                    values[to] = x;
                    places[to] = h * size + j;
                }
            }
        }
    }
}
