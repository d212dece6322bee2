#!/usr/bin/env python3
"""make_jieba.py OUT.json: what jieba 0.42.1 (pip) makes of awkward texts.

Default mode: jieba.cut(text), HMM on. Half of the texts are written here or
old poems; half are random strings of characters, numbers and signs, so that
the hidden Markov model and the borders of stretches are met in every way.
"""
import json
import logging
import random
import sys

import jieba

TEXTS = [
    "", " ", "\r\n", "a", "我", "我来到北京清华大学", "他来到了网易杭研大厦",
    "小明硕士毕业于中国科学院计算所，后在日本京都大学深造",
    "工信处女干事每月经过下属科室都要亲口交代24口交换机等技术性器件的安装工作",
    "永和服装饰品有限公司", "李小福是创新办主任也是云计算方面的专家",
    "乒乓球拍卖完了", "结婚的和尚未结婚的", "研究生命起源",
    "今天天气不错，气温是25.5%，涨幅3.14%左右。", "B超和T恤，C++与c#，AT&T",
    "iPhone 15 Pro卖9,999元！！", "2024年12月31日23:59:59", "１９９８年１月",
    "x_1+y-2=3.0e-5 #tag @user a.b.c 1.2.3.4 50%%", "--...__", "％和%",
    "“你好”\u3000他说：\t「再见」\r\n\n", "かなカナ한국어 English中文混排",
    "😀笑脸𠀀𠮷扩展区", "e\u0301 \u00a0\u2003x\u200by\ufeff", "\x1c\x85分隔",
    "床前明月光，疑是地上霜。举头望明月，低头思故乡。",
    "國破山河在，城春草木深。感時花濺淚，恨別鳥驚心。",
    "春眠不觉晓处处闻啼鸟夜来风雨声花落知多少",
    "龘靐齉爩鱻麤灪籲", "一二三四五六七八九十百千万亿",
    "王小二赵大三钱多多孙悟空", "欧阳锋和司马懿去了乌鲁木齐",
    "的的的的的的的的", "啊啊啊啊啊哈哈哈哈", "中a国b人c民d",
]


def main(path):
    jieba.setLogLevel(logging.ERROR)
    rng = random.Random(1)
    common = [w for w, n in jieba.dt.FREQ.items() if n > 300] if \
        jieba.dt.FREQ else []
    if not common:
        jieba.initialize()
        common = [w for w, n in jieba.dt.FREQ.items() if n > 300]
    common.sort()
    chars = sorted({c for w in common for c in w})
    texts = list(TEXTS)
    for _ in range(150):
        parts = []
        for _ in range(rng.randrange(1, 12)):
            kind = rng.randrange(10)
            if kind < 3:
                parts.append(rng.choice(common))
            elif kind < 8:
                parts.append("".join(rng.choice(chars)
                                     for _ in range(rng.randrange(1, 6))))
            elif kind < 9:
                parts.append("".join(rng.choice("aZ09.%+-_#& ")
                                     for _ in range(rng.randrange(1, 6))))
            else:
                parts.append(chr(rng.randrange(0x3400, 0xA000)))
        texts.append("".join(parts))
    items = [{"text": t, "words": list(jieba.cut(t))} for t in texts]
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.write('{"about": "jieba.cut() of jieba 0.42.1, default mode",\n'
                  ' "items": [\n')
        out.write(",\n".join("  " + json.dumps(item) for item in items))
        out.write("\n ]}\n")


if __name__ == "__main__":
    main(sys.argv[1])
