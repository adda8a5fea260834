"""Language models with continuous thoughts: from sequences to losses and responses.

- `batches`, `prefixes`: sequences as tensors, with prefixes that several rows share computed once;
- `forward`: one pass over a batch, thoughts filled in, and its loss;
- `decoding`: batched greedy responses for several numbers of thoughts;
- `kv_cache`, `gradient_checkpointing`: a cache written in place, and layers recomputed to save memory;
- `gpt2`: GPT-2 in fewer operations;
- `tokenizer`, `checkpoints`: tokenizers with the marks, and models in folders with a card;
- `device`: what computes.
"""
