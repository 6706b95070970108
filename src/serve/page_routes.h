/* Routes that serve no model: how the server is, what it offers, and its page. */
#ifndef TRINE_SERVE_PAGE_ROUTES_H
#define TRINE_SERVE_PAGE_ROUTES_H

#include "serve/service.h"

int page_health(struct request *request);
int page_metrics(struct request *request);
int page_description(struct request *request);
int page_file(struct request *request);

#endif
