#include "dream/html.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

static void escape(FILE *stream, const char *text) {
    for (; text != NULL && *text != '\0'; text++) {
        const char *entity = *text == '&'    ? "&amp;"
                             : *text == '<'  ? "&lt;"
                             : *text == '>'  ? "&gt;"
                             : *text == '"'  ? "&quot;"
                             : *text == '\'' ? "&#39;"
                                             : NULL;
        if (entity != NULL)
            fputs(entity, stream);
        else
            fputc(*text, stream);
    }
}

void html_write(FILE *stream, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    for (const char *at = format; *at != '\0';) {
        size_t plain = strcspn(at, "%");
        fwrite(at, 1, plain, stream);
        at += plain;
        if (*at == '\0')
            break;
        char conversion[16] = "";
        size_t length = 1 + strcspn(at + 1, "sduf%") + 1;
        memcpy(conversion, at, length < sizeof conversion ? length : sizeof conversion - 1);
        at += length;
        if (strcmp(conversion, "%s") == 0)
            escape(stream, va_arg(arguments, const char *));
        else if (strcmp(conversion, "%zu") == 0)
            fprintf(stream, "%zu", va_arg(arguments, size_t));
        else if (strcmp(conversion, "%u") == 0)
            fprintf(stream, "%u", va_arg(arguments, unsigned));
        else if (conversion[length - 1] == 'd')
            fprintf(stream, conversion, va_arg(arguments, int));
        else if (conversion[length - 1] == 'f')
            fprintf(stream, conversion, va_arg(arguments, double));
        else
            fputc('%', stream);
    }
    va_end(arguments);
}

const char *html_signed(char *text, double x, int decimals) {
    char digits[HTML_NUMBER - 4];
    snprintf(digits, sizeof digits, "%.*f", decimals, fabs(x));
    int is_zero = strspn(digits, "0.") == strlen(digits);
    snprintf(text, HTML_NUMBER, "%s%s", is_zero ? "" : x < 0 ? "\xe2\x88\x92" : "+", digits);
    return text;
}

const char *html_count(char *text, double x) {
    char digits[24];
    snprintf(digits, sizeof digits, "%.0f", x);
    size_t length = strlen(digits), at = 0;
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

const char *html_year(char *text, double year) {
    double rounded = round(10 * year) / 10;
    snprintf(text, HTML_NUMBER, rounded == round(rounded) ? "%.0f" : "%.1f", rounded);
    return text;
}
