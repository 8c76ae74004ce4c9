"""Small tables of words of some languages, for parting texts into sentences and clauses."""

# ruff: noqa: RUF001 (letters of other scripts are meant)

SPACELESS = frozenset({"zh", "ja", "th", "km", "lo", "my", "bo"})  # languages that write no spaces between words
DECIMAL_COMMA = frozenset(
    {"de", "fr", "es", "it", "pt", "nl", "ru", "pl", "cs", "el", "sv", "da", "fi", "tr", "uk"}
)  # 1.000,5
ORDINALS = frozenset({"de"})  # a number with a full stop before a capital may be an ordinal

ABBREVIATIONS = {  # before a full stop that ends no sentence
    "": "dr prof mr mrs ms st jr sr vs ca cf",
    "en": "mr mrs ms messrs dr prof rev fr hon gen col maj capt lt cmdr sgt cpl gov sen rep pres supt st mt ft ave "
    "blvd rd vs viz cf al e.g i.e eg ie approx dept est jan feb mar apr jun jul aug sep sept oct nov dec",
    "de": "hr hrn fr frl dr prof dipl ing med jur phil bzw ca usf vgl sog ggf evtl inkl exkl bspw zzgl abzgl geb gest "
    "verh ev kath str nr bd abs abb tab kap anm hrsg aufl jh jhd mio mrd tel z.b d.h u.a o.ä i.d.r z.t u.u v.a "
    "m.e o.g s.o s.u n.chr v.chr z b d h u a o i t v jan feb apr jun jul aug sept okt nov dez mo di mi do sa",
    "fr": "m mm mme mmes mlle mlles me mgr dr pr prof st ste av bd boul env cf ex p.ex c.-à-d chap art vol fig éd janv "
    "févr avr juil sept oct nov déc",
    "es": "sr sra sres sras srta srtas d dña dr dra drs prof profa lic ing arq gral cap cnel ud uds vd vds av avda pza "
    "pág págs núm art cap vol fig ej p.ej aprox dpto tel ee.uu",
    "it": "sig sigg sigra sig.ra sig.na dott dott.ssa prof prof.ssa ing avv arch geom on rag mons p.es es ecc pag cap",
    "pt": "sr sra srs sras srta dr dra drs prof profa eng arq gen cel av pág págs núm art cap vol fig ex p.ex aprox",
    "nl": "dhr mevr mw dr drs prof ir ing mr bijv bv d.w.z o.a i.v.m m.b.t t.a.v ca nr blz art",
    "ru": "г гг ул пр д кв корп стр им т тыс млн млрд руб коп проф акад доц инж т.е т.к т.н т.о и.о см ср напр рис "
    "табл гл ст",
    "pl": "dr prof mgr inż hab ks św ul al pl nr np m.in tzn tzw tj godz str rys tab r w wg ok",
    "cs": "dr prof ing mgr bc mudr judr např tj tzv č čp str obr tab ul nám p pí sl",
    "el": "κ κα κκ δρ καθ π.χ δηλ βλ αρ σελ τηλ",
}
PERHAPS = {  # abbreviations that often are the last word of a sentence
    "en": "etc inc ltd co corp jr sr a.m p.m u.s u.k u.s.a e.u d.c ph.d b.a m.a b.c a.d",
    "de": "usw etc u.s.w u.ä uvm u.v.m",
    "fr": "etc",
    "es": "etc a.m p.m cía",
    "it": "ecc etc",
    "pt": "etc ltda cia",
    "nl": "enz etc",
    "ru": "др пр т.д т.п",
    "pl": "itd itp",
    "cs": "atd apod",
}
BEFORE_NUMBERS = {  # abbreviations only where a number follows
    "": "no nr p pp vol fig",
    "en": "no nos p pp vol ch sec fig art par eq ed",
    "de": "s st z art nr abs",
    "fr": "n no p pp vol",
    "es": "n no p pp vol",
    "ru": "с п № ч",
}
STARTERS = {  # words that often begin a sentence, and with a small letter would be inside one
    "en": "the a an this that these those there here he she it we they i you his her its our their my your but and so "
    "then when after before while if in on at one two what who where why how no yes some many most all",
    "de": "der die das den dem des ein eine einen einem er sie es wir ihr ich du man dies diese dieser dieses dann "
    "danach aber und doch so hier dort da als wenn nach vor im in am an auf bei mit was wer wo warum wie kein "
    "keine viele alle sein seine ihre mein meine",
    "fr": "le la les un une des ce cet cette ces il elle ils elles on nous vous je tu mais et puis alors quand après "
    "avant dans sur si son sa ses qui que où pourquoi comment",
    "es": "el la los las un una unos unas este esta esto estos ese esa él ella ellos ellas yo tú usted pero y entonces "
    "cuando después antes en si su sus qué quién dónde cómo no",
    "it": "il lo la i gli le un una questo questa egli lei lui loro noi ma e poi quando dopo in se",
    "pt": "o a os as um uma este esta isso ele ela eles elas nós eu mas e então quando depois em se",
    "nl": "de het een dit dat deze die hij zij ze wij we ik maar en dan toen na in als",
    "ru": "он она оно они мы вы я ты это этот эта но и затем потом когда после в на если что кто где как",
    "pl": "on ona ono oni my ja ty to ten ta ale i potem kiedy po w na jeśli co kto gdzie jak",
}
CONJUNCTIONS = {  # an over-long sentence may be cut before them
    "en": "and or but because while which who that when where although though if as so then with after before until",
    "de": "und oder aber weil während dass wenn als obwohl damit sodass denn sondern nachdem bevor bis wobei",
    "fr": "et ou mais parce que qui quand où bien si comme donc car avec après avant pendant tandis",
    "es": "y e o u pero porque que quien cuando donde aunque si como mientras pues con después antes",
    "it": "e o ma perché che quando dove anche se come mentre con dopo prima",
    "pt": "e ou mas porque que quando onde embora se como enquanto com depois antes",
    "nl": "en of maar omdat die dat wanneer waar hoewel als zodat toen met na voor",
    "ru": "и или но а потому что который которая которые когда где хотя если как пока чтобы",
    "pl": "i lub ale bo że który która które kiedy gdzie choć jeśli jak aby",
}
SMALL = {  # words that titles leave in small letters
    "en": "a an the and or but nor of in on at to by for from with as into onto over per via vs up off out near",
    "de": "der die das den dem des ein eine einen einem einer und oder aber in im an am auf mit von vom zu zum zur bei "
    "aus für als",
    "fr": "le la les l un une des de du d et ou à au aux en dans sur par pour avec",
    "es": "el la los las un una de del y e o u a al en por para con",
    "it": "il lo la i gli le un una di del della dei delle e o a al in da per con su",
    "pt": "o a os as um uma de do da dos das e ou em no na por para com",
    "nl": "de het een en of van in op te bij voor met aan uit",
}


def words_of(table: dict[str, str], language: str) -> frozenset[str]:
    """Return the words that a table has for a language, with those for all languages."""
    return frozenset(f"{table.get('', '')} {table.get(language, '')}".split())


MONTHS = words_of(
    {"de": "januar februar märz april mai juni juli august september oktober november dezember jänner feber"}, "de"
)
