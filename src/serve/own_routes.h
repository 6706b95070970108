/* Trine's own routes, each in the file of its name: fields that are not known are refused. */
#ifndef TRINE_SERVE_OWN_ROUTES_H
#define TRINE_SERVE_OWN_ROUTES_H

#include "serve/service.h"

int own_read(struct request *request);               /* own_read.c: who wrote a text, and when */
int own_atlas(struct request *request);              /* own_atlas.c: the authors laid out */
int own_judge(struct request *request);              /* own_judge.c: how likely a statement is */
int own_ask(struct request *request);                /* answers with odds */
int own_standards(struct request *request);          /* of truth */
int own_market(struct request *request);             /* own_market.c: what a market thinks */
int own_values_show(struct request *request);        /* own_values.c: what may be wished for */
int own_values_grant(struct request *request);       /* and what becomes of a wish */
int own_conversations_list(struct request *request); /* own_conversations.c: the caller's own */
int own_conversation_new(struct request *request);
int own_conversation_show(struct request *request);
int own_conversation_delete(struct request *request);
int own_jobs(struct request *request); /* own_jobs.c: how far long commands are */

#endif
