"""Archives are asked here for what was performed, and what they answer is looked through.

claims        an archive is asked by one worker at a time, and left alone for a while where it fails
due           which items an archive is to be asked for, once their examinations have ended
sessions      items with their reports, as studies are compared with them
budget        how many questions a round may ask, and how long it may take
answers       questions asked, and their answers as rows
reviewing     what the rows show: findings, and points of attention
strays        studies that nobody scheduled
erased        nobody is told of whom a site has erased
pseudonymous  whose a study is, an archive of pseudonyms does not tell
rounds        all of it, once
"""
