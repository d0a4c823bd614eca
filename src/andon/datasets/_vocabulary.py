"""The usual words for OK and NG in the languages of many plants, in lower case; accents may be left out."""

from __future__ import annotations


def listed(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


OK = listed("""
    ok oks okay good goods normal normals nominal pass passed passes accept accepted acceptable conforming conformant
    compliant perfect flawless faultless defectless healthy sound undamaged
    gut gute guter gutteil gutteile fehlerfrei fehlerlos mangelfrei
    bon bonne bons bonnes conforme conformes accepte acceptee correct
    bueno buena buenos buenas correcto correcta aprobado aprobada aceptado
    buono buona buoni buone accettato bom boa bons boas aprovado aprovada
    goed goede goedgekeurd bra godkand godt god godkendt godkjent hyva hyvaksytty
    dobry dobra dobre prawidlowy dobri vporadku spravny jo megfelelo
    iyi saglam gecti bun buna
    годен годный годные хороший хорошие хорошо норма исправен исправный
    良 良品 合格 合格品 正常 正常品 好 好品 无缺陷 無缺陷 양품 정상 합격 정상품
    ○ ◯ 〇 ✓ ✔
""")
NG = listed("""
    ng ngs nok ko notok notokay bad defect defects defective def anomaly anomalies anomalous abnormal abnormals anormal
    fail fails failed failure failures reject rejects rejected faulty fault faults nogood nogo nonconforming
    noncompliant unacceptable scrap damaged
    schlecht schlechte schlechter schlechtteil schlechtteile fehler fehlerhaft defekt defekte mangelhaft ausschuss
    mauvais mauvaise mauvaises defaut defauts defectueux defectueuse rebut rebuts nonconforme
    malo mala malos malas defecto defectos defectuoso defectuosa rechazado rechazada
    cattivo difetto difetti difettoso difettosa difettosi scarto scarti anomalia anomalie
    ruim ruins defeito defeitos defeituoso reprovado reprovada rejeitado
    slecht slechte afgekeurd afkeur dalig daliga underkand fel defekta darlig darlige kasseret huono viallinen hylatty
    zly zle złe zły wadliwy wadliwe wada wady spatny spatne vadny vadne vada zmetek zmetky rossz hibas selejt
    kotu hatali kusurlu bozuk
    брак бракованный дефект дефекты дефектный плохой плохие негоден
    不良 不良品 不合格 不合格品 不正常 非正常 异常 異常 異常品 坏 坏品 次品 缺陷 有缺陷 欠陥 欠陥品
    불량 불량품 비정상 불합격
    × ✗ ✕ ✘
""")
OK_OPPOSITES = listed("""
    defectfree faultfree freeofdefects nodefect nodefects nofault nofaults zerodefect ohnefehler sansdefaut sindefecto
    sindefectos semdefeito senzadifetti bezwad bezvad utanfel zonderdefect
""")
"""Several words that mean OK, although one of them alone means NG; without their spaces."""
WHOLE = {"io": False, "go": False, "nio": True, "nogo": True}
"""Too short to mean anything within a longer name: i.O. and n.i.O. of German plants, go and no-go of gauges."""
NEGATIONS = listed("""
    no not non nicht kein keine keinen ohne pas sans sin sem senza nie nao ne bez inte ikke ei niet geen zonder nem utan
    не без nu
""")
UNKNOWN = listed("unknown unlabelled unlabeled unlabled unsure unclear undecided na nan null tbd todo none")
"""Labels that say that nobody knows."""
