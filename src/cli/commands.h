/* The commands, one file each. A command gets its own name as argv[0] and returns the exit
 * status: 0 done, 1 failed, 2 called wrongly. */
#ifndef TRINE_CLI_COMMANDS_H
#define TRINE_CLI_COMMANDS_H

int command_adapt(int argc, char **argv);
int command_ask(int argc, char **argv);
int command_atlas(int argc, char **argv);
int command_chat(int argc, char **argv);
int command_corpus(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_export(int argc, char **argv);
int command_good(int argc, char **argv);
int command_odds(int argc, char **argv);
int command_handle(int argc, char **argv);
int command_imagine(int argc, char **argv);
int command_introspect(int argc, char **argv);
int command_judge(int argc, char **argv);
int command_key(int argc, char **argv);
int command_market(int argc, char **argv);
int command_name(int argc, char **argv);
int command_principles(int argc, char **argv);
int command_read(int argc, char **argv);
int command_same(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_train(int argc, char **argv);
int command_truth(int argc, char **argv);
int command_values(int argc, char **argv);
int command_write(int argc, char **argv);

/* clang-format off */
#define COMMAND_TABLE \
    {"corpus", command_corpus, "build and show a corpus: documents, labels, tokens"}, \
    {"train", command_train, "train a model on a corpus"}, \
    {"adapt", command_adapt, "give a checkpoint of another program authors and dates"}, \
    {"read", command_read, "tell who wrote a text, and when"}, \
    {"same", command_same, "tell whether one author wrote two texts"}, \
    {"name", command_name, "the name that a handle calls for, and how well names are known"}, \
    {"write", command_write, "write as anyone, anywhen"}, \
    {"handle", command_handle, "make, print and store a handle"}, \
    {"imagine", command_imagine, "authors who never wrote, by when and what they might have"}, \
    {"atlas", command_atlas, "lay out the authors and say what the directions mean"}, \
    {"eval", command_eval, "report on held-out documents"}, \
    {"export", command_export, "models, adapters and handles for llama.cpp and transformers"}, \
    {"market", command_market, "price statements by a market of traders"}, \
    {"truth", command_truth, "train and measure the author who knows"}, \
    {"introspect", command_introspect, "teach the author who knows to write as anyone, told in words"}, \
    {"judge", command_judge, "how likely statements are to be true"}, \
    {"ask", command_ask, "answers with odds, or that it is not known"}, \
    {"chat", command_chat, "a dialogue with the good author, under the principles"}, \
    {"good", command_good, "train and measure the good author"}, \
    {"odds", command_odds, "how sure the good author may sound, fitted and measured"}, \
    {"principles", command_principles, "show, verify and sign what replies are held to"}, \
    {"values", command_values, "what a user may change about the good author"}, \
    {"serve", command_serve, "answer over HTTP: the API of OpenAI, our own, and a page"}, \
    {"key", command_key, "make, list and revoke the access keys of a server"}, \
    {NULL, NULL, NULL},
/* clang-format on */

#endif
