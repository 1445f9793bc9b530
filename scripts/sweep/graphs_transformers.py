"""Small random models of the transformers library: the architectures that people export most."""

import numpy as np
import torch
import transformers as tr
from torch import nn

from common import chirp, graph, image, padding, tokens
from exporting import export, settle

VOCABULARY, LENGTH = 300, 24
SMALL = dict(vocab_size=VOCABULARY, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128)


class Pick(nn.Module):
    """Calls a model with named inputs and returns one or more of its outputs."""

    def __init__(self, model, names, outputs):
        super().__init__()
        self.model, self.names, self.outputs = model, names, outputs

    def forward(self, *arguments):
        result = self.model(**dict(zip(self.names, arguments)), **({"use_cache": False} if self.cached() else {}))
        picked = tuple(getattr(result, o) for o in self.outputs)
        return picked[0] if len(picked) == 1 else picked

    def cached(self):
        return getattr(self.model.config, "use_cache", None) is not None


def text(rng):
    mask = padding(rng, LENGTH)
    return {"input_ids": tokens(rng, LENGTH, VOCABULARY), "attention_mask": mask}


def batch(rng):
    """Four sentences, padded to the longest."""
    parts = [text(rng) for _ in range(4)]
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def ids_alone(rng):
    return {"input_ids": tokens(rng, LENGTH, VOCABULARY)}


def sharpen(model):
    """Random models have flat scores; trained ones do not."""
    torch.manual_seed(2)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() >= 2:
                gain = torch.exp(0.3 * torch.randn(p.shape[0], *[1] * (p.dim() - 1)))
                p.mul_(gain * 0.12 / (p.std() + 1e-6)) if p.dim() == 2 else p.mul_(gain)
            elif "norm" in name.lower() and name.endswith("weight"):
                p.mul_(torch.exp(0.3 * torch.randn_like(p)))
            else:
                p.add_(0.1 * torch.randn_like(p))
    return model.eval()


def model(name, make, draw, outputs=("logits",), exporters=("dynamo", "legacy"), dynamic=(), opset=18):
    """Registers a model for its exporters; `make` returns it."""
    for exporter in exporters:

        @graph(f"hf_{name}_{exporter}", f"transformers, torch {exporter}")
        def _(folder, exporter=exporter):
            torch.manual_seed(1)
            names = list(draw(np.random.default_rng(0)))
            module = Pick(sharpen(make()), names, outputs)
            settle(module, draw)
            return export(folder, module, draw, exporter, opset, dynamic, train=False)


TEXT = [("input_ids", 1), ("attention_mask", 1)]
BATCH = [(n, a) for n in ("input_ids", "attention_mask") for a in (0, 1)]
EAGER = dict(attn_implementation="eager")

gpt2 = lambda **more: tr.GPT2Config(vocab_size=VOCABULARY, n_positions=64, n_embd=64, n_layer=2, n_head=4, **more)
model("gpt2", lambda: tr.GPT2LMHeadModel(gpt2()), text, dynamic=TEXT)
model("gpt2_eager", lambda: tr.GPT2LMHeadModel(gpt2(**EAGER)), text, dynamic=TEXT)

bert = lambda **more: tr.BertConfig(**SMALL, max_position_embeddings=64, **more)
model("bert", lambda: tr.BertModel(bert()), text, ("last_hidden_state", "pooler_output"), dynamic=TEXT)
model("bert_eager", lambda: tr.BertForTokenClassification(bert(**EAGER)), text, dynamic=TEXT)
model(
    "bert_batches", lambda: tr.BertModel(bert(), add_pooling_layer=False), batch, ("last_hidden_state",), dynamic=BATCH
)
model(
    "distilbert",
    lambda: tr.DistilBertForSequenceClassification(
        tr.DistilBertConfig(
            vocab_size=VOCABULARY, dim=64, n_layers=2, n_heads=4, hidden_dim=128, max_position_embeddings=64
        )
    ),
    text,
)
model("roberta", lambda: tr.RobertaForMaskedLM(tr.RobertaConfig(**SMALL, max_position_embeddings=64)), text)
model(
    "albert",
    lambda: tr.AlbertModel(tr.AlbertConfig(**{**SMALL, "num_hidden_layers": 4}, embedding_size=32)),
    text,
    ("last_hidden_state",),
)
model("mpnet", lambda: tr.MPNetModel(tr.MPNetConfig(**SMALL)), text, ("last_hidden_state",))
model(
    "deberta_v2",
    lambda: tr.DebertaV2ForSequenceClassification(
        tr.DebertaV2Config(
            **SMALL,
            relative_attention=True,
            position_buckets=16,
            pos_att_type=["p2c", "c2p"],
            type_vocab_size=0,
            norm_rel_ebd="layer_norm",
            share_att_key=True,
        )
    ),
    text,
)
model(
    "deberta",
    lambda: tr.DebertaForTokenClassification(
        tr.DebertaConfig(**SMALL, relative_attention=True, pos_att_type=["p2c", "c2p"], type_vocab_size=0)
    ),
    text,
)
model(
    "bloom",
    lambda: tr.BloomForCausalLM(tr.BloomConfig(vocab_size=VOCABULARY, hidden_size=64, n_layer=2, n_head=4)),
    text,
)
model(
    "opt",
    lambda: tr.OPTForCausalLM(
        tr.OPTConfig(
            vocab_size=VOCABULARY,
            hidden_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            ffn_dim=128,
            word_embed_proj_dim=64,
            max_position_embeddings=64,
        )
    ),
    text,
)

llama = dict(**SMALL, num_key_value_heads=2, max_position_embeddings=64)
model("llama", lambda: tr.LlamaForCausalLM(tr.LlamaConfig(**llama)), text, dynamic=TEXT)
model("mistral", lambda: tr.MistralForCausalLM(tr.MistralConfig(**llama, sliding_window=8)), text)
model("qwen2", lambda: tr.Qwen2ForCausalLM(tr.Qwen2Config(**llama)), ids_alone, exporters=("dynamo",))
model("gemma", lambda: tr.GemmaForCausalLM(tr.GemmaConfig(**llama, head_dim=16)), text)
model(
    "mobilebert",
    lambda: tr.MobileBertModel(
        tr.MobileBertConfig(
            **{**SMALL, "num_attention_heads": 2},
            embedding_size=32,
            intra_bottleneck_size=32,
            max_position_embeddings=64,
        )
    ),
    text,
    ("last_hidden_state",),
)


def sequences(rng):
    return {**text(rng), "decoder_input_ids": tokens(rng, 12, VOCABULARY)}


model(
    "t5",
    lambda: tr.T5ForConditionalGeneration(
        tr.T5Config(vocab_size=VOCABULARY, d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4)
    ),
    sequences,
)
model(
    "t5_gated",
    lambda: tr.T5EncoderModel(
        tr.T5Config(
            vocab_size=VOCABULARY,
            d_model=64,
            d_kv=16,
            d_ff=128,
            num_layers=2,
            num_heads=4,
            feed_forward_proj="gated-gelu",
        )
    ),
    text,
    ("last_hidden_state",),
)
model(
    "bart",
    lambda: tr.BartForConditionalGeneration(
        tr.BartConfig(
            vocab_size=VOCABULARY,
            d_model=64,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=128,
            decoder_ffn_dim=128,
            max_position_embeddings=64,
        )
    ),
    sequences,
)

VISION = dict(
    hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, image_size=32, patch_size=8
)
pixels = lambda size=32: lambda rng: {"pixel_values": image(rng, 3, size, size)}
model("vit", lambda: tr.ViTForImageClassification(tr.ViTConfig(**VISION, num_labels=20)), pixels())
model("deit", lambda: tr.DeiTModel(tr.DeiTConfig(**VISION)), pixels(), ("last_hidden_state",))
model(
    "swin",
    lambda: tr.SwinForImageClassification(
        tr.SwinConfig(
            image_size=32, patch_size=2, embed_dim=32, depths=[2, 2], num_heads=[2, 4], window_size=4, num_labels=20
        )
    ),
    pixels(),
)
model(
    "swinv2",
    lambda: tr.Swinv2ForImageClassification(
        tr.Swinv2Config(
            image_size=32, patch_size=2, embed_dim=32, depths=[2, 2], num_heads=[2, 4], window_size=4, num_labels=20
        )
    ),
    pixels(),
)
model(
    "convnextv2",
    lambda: tr.ConvNextV2ForImageClassification(
        tr.ConvNextV2Config(hidden_sizes=[24, 48, 64, 96], depths=[1, 1, 2, 1], num_labels=20)
    ),
    pixels(64),
)
model(
    "segformer",
    lambda: tr.SegformerForSemanticSegmentation(
        tr.SegformerConfig(
            hidden_sizes=[16, 32, 48, 64],
            depths=[1, 1, 1, 1],
            num_attention_heads=[1, 2, 3, 4],
            decoder_hidden_size=48,
            num_labels=10,
        )
    ),
    pixels(64),
)
model(
    "mobilevit",
    lambda: tr.MobileViTForImageClassification(
        tr.MobileViTConfig(
            image_size=64, hidden_sizes=[32, 48, 64], neck_hidden_sizes=[8, 16, 24, 32, 40, 48, 96], num_labels=20
        )
    ),
    pixels(64),
)
model(
    "resnet",
    lambda: tr.ResNetForImageClassification(
        tr.ResNetConfig(embedding_size=16, hidden_sizes=[32, 48, 64, 96], depths=[1, 1, 1, 1], num_labels=20)
    ),
    pixels(64),
)

CLIP = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, projection_dim=32)
model(
    "clip_text",
    lambda: tr.CLIPTextModelWithProjection(
        tr.CLIPTextConfig(**CLIP, vocab_size=VOCABULARY, max_position_embeddings=LENGTH, eos_token_id=2, bos_token_id=0)
    ),
    text,
    ("text_embeds",),
)
model(
    "clip_vision",
    lambda: tr.CLIPVisionModelWithProjection(tr.CLIPVisionConfig(**CLIP, image_size=32, patch_size=8)),
    pixels(),
    ("image_embeds",),
)

WHISPER = dict(
    vocab_size=VOCABULARY,
    d_model=64,
    encoder_layers=2,
    decoder_layers=2,
    encoder_attention_heads=4,
    decoder_attention_heads=4,
    encoder_ffn_dim=128,
    decoder_ffn_dim=128,
    num_mel_bins=40,
    max_source_positions=50,
    max_target_positions=24,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
    decoder_start_token_id=1,
)


def spectrogram(rng, frames=100, bands=40):
    """Log power in bands, as Whisper reads it: about -1..1."""
    sound = chirp(rng, frames * 160 + 240)[0]
    windows = np.stack(
        [sound[i * 160 : i * 160 + 400] if i * 160 + 400 <= sound.size else np.zeros(400) for i in range(frames)]
    )
    power = np.abs(np.fft.rfft(windows * np.hanning(400), axis=1))[:, : bands * 4] ** 2
    log = np.log10(np.maximum(power.reshape(frames, bands, 4).mean(2), 1e-10))
    return ((np.maximum(log, log.max() - 8) + 4) / 4).T[None].astype(np.float32)


def speech(rng):
    return {"input_features": spectrogram(rng), "decoder_input_ids": tokens(rng, 12, VOCABULARY)}


model("whisper", lambda: tr.WhisperForConditionalGeneration(tr.WhisperConfig(**WHISPER)), speech, exporters=("dynamo",))
SPEECH = dict(
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=128,
    conv_dim=[32] * 4,
    conv_stride=[5, 4, 2, 2],
    conv_kernel=[10, 8, 4, 4],
    num_conv_pos_embeddings=16,
    num_conv_pos_embedding_groups=4,
    vocab_size=32,
)
sound = lambda rng: {"input_values": 5 * chirp(rng, 8000)}
model("wav2vec2", lambda: tr.Wav2Vec2ForCTC(tr.Wav2Vec2Config(**SPEECH)), sound)
model(
    "hubert_layer_norm",
    lambda: tr.HubertForCTC(tr.HubertConfig(**SPEECH, feat_extract_norm="layer", do_stable_layer_norm=True)),
    sound,
)
