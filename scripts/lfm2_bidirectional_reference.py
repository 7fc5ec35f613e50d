"""The encoders of LFM2.5, which transformers 5.18 does not have.

Written from what is documented of them: LFM2 whose tokens see all others, and whose short convolutions reach as far ahead
as back. Texts stand alone here. `conv_zero_padding` says what convolutions read of tokens that attention does not see.
"""
import torch
import transformers
from huggingface_hub.dataclasses import strict
from transformers.modeling_outputs import BaseModelOutput, SequenceClassifierOutput
from transformers.models.lfm2.modeling_lfm2 import Lfm2Model, Lfm2ShortConv


@strict
class Lfm2BidirectionalConfig(transformers.Lfm2Config):
    model_type = "lfm2_bidirectional"
    conv_zero_padding: bool = True


class CentredConvolution(Lfm2ShortConv):
    def forward(self, hidden_states, attention_mask, **_):
        if self.config.conv_zero_padding:
            hidden_states = hidden_states * attention_mask[..., None]
        length, width = hidden_states.shape[1], self.conv_kernel_size
        b, c, x = self.in_proj(hidden_states).transpose(1, 2).chunk(3, dim=1)
        y = torch.nn.functional.conv1d(b * x, self.conv.weight, self.conv.bias, padding=width // 2, groups=b.shape[1])
        return self.out_proj((c * y[..., :length]).transpose(1, 2))


class Lfm2BidirectionalModel(Lfm2Model):
    config_class = Lfm2BidirectionalConfig

    def __init__(self, config):
        super().__init__(config)
        for layer in self.layers:
            if not layer.is_attention_layer:
                layer.conv.__class__ = CentredConvolution

    def forward(self, input_ids, attention_mask=None, **_):
        """attention_mask: 0 for tokens that no other attends to, such as those that fill up a query."""
        x = self.embed_tokens(input_ids)
        count, length = input_ids.shape
        assert count == 1, "one text"
        seen = torch.ones(1, length) if attention_mask is None else attention_mask
        visible = ((seen == 0) * -1e30).to(x.dtype).expand(1, 1, length, length)
        rotation = self.rotary_emb(x, position_ids=torch.arange(length)[None])
        for layer in self.layers:
            x = layer(x, attention_mask=visible if layer.is_attention_layer else seen, position_embeddings=rotation)
        return BaseModelOutput(last_hidden_state=self.embedding_norm(x))


class Lfm2BidirectionalForSequenceClassification(transformers.PreTrainedModel):
    config_class = Lfm2BidirectionalConfig

    def __init__(self, config):
        super().__init__(config)
        self.model = Lfm2BidirectionalModel(config)
        self.score = torch.nn.Linear(config.hidden_size, config.num_labels, bias=False)
        self.post_init()

    def forward(self, input_ids, attention_mask):
        assert attention_mask.all(), "one text, without padding"
        is_read = (input_ids[0] != self.config.pad_token_id).nonzero().flatten()
        last = int(is_read[-1]) if len(is_read) else 0
        return SequenceClassifierOutput(logits=self.score(self.model(input_ids, attention_mask).last_hidden_state[:, last]))


transformers.AutoConfig.register("lfm2_bidirectional", Lfm2BidirectionalConfig)
transformers.AutoModel.register(Lfm2BidirectionalConfig, Lfm2BidirectionalModel)
transformers.AutoModelForSequenceClassification.register(Lfm2BidirectionalConfig, Lfm2BidirectionalForSequenceClassification)
