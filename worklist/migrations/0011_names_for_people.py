
import datetime
import worklist.validators
from django.db import migrations, models


class NamesForPeople(migrations.SeparateDatabaseAndState):
    """Only what people read changes, so the database has nothing to do, and the models are made anew once.

    Django would make them anew for each field, which takes longer than all other migrations together.
    """

    def state_forwards(self, app_label, state):
        state.__dict__.pop("apps", None)
        super().state_forwards(app_label, state)


class Migration(migrations.Migration):

    dependencies = [
        ('worklist', '0010_participants_arrive'),
    ]

    operations = [
        NamesForPeople(
            state_operations=[
                migrations.AlterModelOptions(
                    name='performedseries',
                    options={'ordering': ['step', 'number'], 'verbose_name': 'performed series', 'verbose_name_plural': 'performed series'},
                ),
                migrations.AlterModelOptions(
                    name='performedstep',
                    options={'ordering': ['-created_at', '-pk'], 'verbose_name': 'performed step', 'verbose_name_plural': 'performed steps'},
                ),
                migrations.AlterModelOptions(
                    name='worklistitem',
                    options={'ordering': ['scheduled_start_date', 'scheduled_start_time', 'pk'], 'permissions': [('correct_worklistitem', 'Can correct who was examined')], 'verbose_name': 'worklist item', 'verbose_name_plural': 'worklist items'},
                ),
                migrations.AlterField(
                    model_name='attention',
                    name='kind',
                    field=models.CharField(choices=[('IDENTITY', 'Identity differs'), ('SHARED_ID', 'Two people under one ID'), ('UNSCHEDULED', 'Unscheduled examination'), ('WRONG_ENTRY', 'Wrong worklist entry selected'), ('CANCELLED', 'Performed although cancelled'), ('WEIGHT', 'Weight differs'), ('STALE', 'In progress for too long'), ('SIMILAR_ID', 'IDs too much alike'), ('PROTOCOL', 'Protocol differs'), ('DEVIATION', 'Incomplete report'), ('NOT_PERFORMED', 'Nothing performed')], max_length=16, verbose_name='kind'),
                ),
                migrations.AlterField(
                    model_name='attention',
                    name='note',
                    field=models.TextField(blank=True, default='', verbose_name='note'),
                ),
                migrations.AlterField(
                    model_name='attention',
                    name='opened_at',
                    field=models.DateTimeField(auto_now_add=True, verbose_name='opened at'),
                ),
                migrations.AlterField(
                    model_name='attention',
                    name='resolved_at',
                    field=models.DateTimeField(blank=True, null=True, verbose_name='resolved at'),
                ),
                migrations.AlterField(
                    model_name='attention',
                    name='resolved_by',
                    field=models.CharField(blank=True, default='', max_length=200, verbose_name='resolved by'),
                ),
                migrations.AlterField(
                    model_name='attention',
                    name='text',
                    field=models.TextField(help_text='What is the matter, one line for each point.', verbose_name='text'),
                ),
                migrations.AlterField(
                    model_name='confirmedperson',
                    name='confirmed_at',
                    field=models.DateTimeField(auto_now_add=True, verbose_name='confirmed at'),
                ),
                migrations.AlterField(
                    model_name='confirmedperson',
                    name='confirmed_by',
                    field=models.CharField(editable=False, max_length=200, verbose_name='confirmed by'),
                ),
                migrations.AlterField(
                    model_name='confirmedperson',
                    name='patient_birth_date',
                    field=models.DateField(blank=True, null=True, verbose_name='patient birth date'),
                ),
                migrations.AlterField(
                    model_name='confirmedperson',
                    name='patient_name',
                    field=models.CharField(max_length=194, validators=[worklist.validators.person_name], verbose_name='patient name'),
                ),
                migrations.AlterField(
                    model_name='confirmedperson',
                    name='patient_sex',
                    field=models.CharField(blank=True, choices=[('F', 'Female'), ('M', 'Male'), ('O', 'Other')], default='', max_length=1, verbose_name='patient sex'),
                ),
                migrations.AlterField(
                    model_name='confirmedperson',
                    name='reason',
                    field=models.CharField(blank=True, default='', max_length=200, verbose_name='reason'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='calling_address',
                    field=models.CharField(blank=True, default='', max_length=64, verbose_name='calling address'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='dataset',
                    field=models.JSONField(verbose_name='data set'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='description',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='description'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='deviations',
                    field=models.JSONField(blank=True, default=list, help_text="Where the scanner's messages depart from the standard.", verbose_name='deviations'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='discontinuation_reason',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='discontinuation reason'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='discontinuation_reason_code',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='discontinuation reason code'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='end_date',
                    field=models.DateField(blank=True, null=True, verbose_name='end date'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='end_time',
                    field=models.TimeField(blank=True, null=True, verbose_name='end time'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='modality',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='modality'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='patient_birth_date',
                    field=models.DateField(blank=True, null=True, verbose_name='patient birth date'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='patient_name',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='patient name'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='patient_sex',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='patient sex'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='performed_location',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='performed location'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='performed_station_name',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='performed station name'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='remarks',
                    field=models.JSONField(blank=True, default=list, help_text='Departures that many scanners make every day, and that cost nothing.', verbose_name='remarks'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='start_date',
                    field=models.DateField(blank=True, null=True, verbose_name='start date'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='start_time',
                    field=models.TimeField(blank=True, null=True, verbose_name='start time'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstep',
                    name='status',
                    field=models.CharField(choices=[('IN_PROGRESS', 'In progress'), ('COMPLETED', 'Completed'), ('DISCONTINUED', 'Discontinued')], max_length=16, verbose_name='status'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstepitem',
                    name='created_at',
                    field=models.DateTimeField(blank=True, editable=False, verbose_name='created at'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstepitem',
                    name='evidence',
                    field=models.CharField(choices=[('STEP', 'Study Instance UID and step ID'), ('REFERENCED_STUDY', 'Referenced Study and step ID'), ('PROCEDURE', 'Study Instance UID and requested procedure ID'), ('ACCESSION', 'Accession number and step ID'), ('STEP_PROCEDURE', 'Step ID and requested procedure ID, each of no other item'), ('STUDY', 'Study Instance UID alone'), ('PERSON', 'By a person')], max_length=16, verbose_name='evidence'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstepitem',
                    name='linked_by',
                    field=models.CharField(blank=True, default='', help_text="The person's user name, or the device that reported.", max_length=200, verbose_name='linked by'),
                ),
                migrations.AlterField(
                    model_name='historicalperformedstepitem',
                    name='status_before',
                    field=models.CharField(choices=[('SCHEDULED', 'Scheduled'), ('IN_PROGRESS', 'In progress'), ('COMPLETED', 'Completed'), ('DISCONTINUED', 'Discontinued'), ('CANCELLED', 'Cancelled')], help_text="The item's status when the step was linked to it.", max_length=16, verbose_name='status before'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='accession_number',
                    field=models.CharField(blank=True, db_index=True, max_length=16, validators=[worklist.validators.text], verbose_name='accession number'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='data_source',
                    field=models.CharField(blank=True, db_index=True, default='', editable=False, help_text='The source that keeps this item; empty for one made by a person.', max_length=100, verbose_name='data source'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='extra_attributes',
                    field=models.JSONField(blank=True, default=dict, help_text='Any other attribute, by DICOM keyword: {"MedicalAlerts": "Pacemaker", "PregnancyStatus": 1}.', verbose_name='extra attributes'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='modality',
                    field=models.CharField(max_length=16, validators=[worklist.validators.code_string], verbose_name='modality'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='patient_birth_date',
                    field=models.DateField(blank=True, null=True, verbose_name='patient birth date'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='patient_name',
                    field=models.CharField(max_length=194, validators=[worklist.validators.person_name], verbose_name='patient name'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='patient_sex',
                    field=models.CharField(blank=True, choices=[('F', 'Female'), ('M', 'Male'), ('O', 'Other')], default='', max_length=1, verbose_name='patient sex'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='performing_physician',
                    field=models.CharField(blank=True, default='', max_length=194, validators=[worklist.validators.person_name], verbose_name='performing physician'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='procedure_description',
                    field=models.CharField(blank=True, default='', help_text='Scheduled Procedure Step Description: what the console shows.', max_length=64, validators=[worklist.validators.text], verbose_name='procedure description'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='protocol_name',
                    field=models.CharField(blank=True, default='', max_length=64, validators=[worklist.validators.text], verbose_name='protocol name'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='referring_physician_name',
                    field=models.CharField(blank=True, default='', max_length=194, validators=[worklist.validators.person_name], verbose_name='referring physician name'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='requesting_physician',
                    field=models.CharField(blank=True, default='', max_length=194, validators=[worklist.validators.person_name], verbose_name='requesting physician'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='scheduled_start_date',
                    field=models.DateField(verbose_name='scheduled start date'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='scheduled_start_time',
                    field=models.TimeField(default=datetime.time(0, 0), help_text='Midnight when the time is not known: scanners refuse an empty one.', verbose_name='scheduled start time'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='station_name',
                    field=models.CharField(blank=True, default='', max_length=16, validators=[worklist.validators.text], verbose_name='station name'),
                ),
                migrations.AlterField(
                    model_name='historicalworklistitem',
                    name='study_description',
                    field=models.CharField(blank=True, default='', help_text='Requested Procedure Description.', max_length=64, validators=[worklist.validators.text], verbose_name='study description'),
                ),
                migrations.AlterField(
                    model_name='performedseries',
                    name='description',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='description'),
                ),
                migrations.AlterField(
                    model_name='performedseries',
                    name='number',
                    field=models.PositiveIntegerField(help_text='Its place in the sequence, from 1.', verbose_name='number'),
                ),
                migrations.AlterField(
                    model_name='performedseries',
                    name='performing_physician_name',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='performing physician name'),
                ),
                migrations.AlterField(
                    model_name='performedseries',
                    name='protocol_name',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='protocol name'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='calling_address',
                    field=models.CharField(blank=True, default='', max_length=64, verbose_name='calling address'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='dataset',
                    field=models.JSONField(verbose_name='data set'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='description',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='description'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='deviations',
                    field=models.JSONField(blank=True, default=list, help_text="Where the scanner's messages depart from the standard.", verbose_name='deviations'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='discontinuation_reason',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='discontinuation reason'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='discontinuation_reason_code',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='discontinuation reason code'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='end_date',
                    field=models.DateField(blank=True, null=True, verbose_name='end date'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='end_time',
                    field=models.TimeField(blank=True, null=True, verbose_name='end time'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='modality',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='modality'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='patient_birth_date',
                    field=models.DateField(blank=True, null=True, verbose_name='patient birth date'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='patient_name',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='patient name'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='patient_sex',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='patient sex'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='performed_location',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='performed location'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='performed_station_name',
                    field=models.CharField(blank=True, default='', max_length=256, verbose_name='performed station name'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='remarks',
                    field=models.JSONField(blank=True, default=list, help_text='Departures that many scanners make every day, and that cost nothing.', verbose_name='remarks'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='start_date',
                    field=models.DateField(blank=True, null=True, verbose_name='start date'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='start_time',
                    field=models.TimeField(blank=True, null=True, verbose_name='start time'),
                ),
                migrations.AlterField(
                    model_name='performedstep',
                    name='status',
                    field=models.CharField(choices=[('IN_PROGRESS', 'In progress'), ('COMPLETED', 'Completed'), ('DISCONTINUED', 'Discontinued')], max_length=16, verbose_name='status'),
                ),
                migrations.AlterField(
                    model_name='performedstepitem',
                    name='created_at',
                    field=models.DateTimeField(auto_now_add=True, verbose_name='created at'),
                ),
                migrations.AlterField(
                    model_name='performedstepitem',
                    name='evidence',
                    field=models.CharField(choices=[('STEP', 'Study Instance UID and step ID'), ('REFERENCED_STUDY', 'Referenced Study and step ID'), ('PROCEDURE', 'Study Instance UID and requested procedure ID'), ('ACCESSION', 'Accession number and step ID'), ('STEP_PROCEDURE', 'Step ID and requested procedure ID, each of no other item'), ('STUDY', 'Study Instance UID alone'), ('PERSON', 'By a person')], max_length=16, verbose_name='evidence'),
                ),
                migrations.AlterField(
                    model_name='performedstepitem',
                    name='linked_by',
                    field=models.CharField(blank=True, default='', help_text="The person's user name, or the device that reported.", max_length=200, verbose_name='linked by'),
                ),
                migrations.AlterField(
                    model_name='performedstepitem',
                    name='status_before',
                    field=models.CharField(choices=[('SCHEDULED', 'Scheduled'), ('IN_PROGRESS', 'In progress'), ('COMPLETED', 'Completed'), ('DISCONTINUED', 'Discontinued'), ('CANCELLED', 'Cancelled')], help_text="The item's status when the step was linked to it.", max_length=16, verbose_name='status before'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='accession_number',
                    field=models.CharField(blank=True, db_index=True, max_length=16, validators=[worklist.validators.text], verbose_name='accession number'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='created_at',
                    field=models.DateTimeField(auto_now_add=True, verbose_name='created at'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='data_source',
                    field=models.CharField(blank=True, db_index=True, default='', editable=False, help_text='The source that keeps this item; empty for one made by a person.', max_length=100, verbose_name='data source'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='extra_attributes',
                    field=models.JSONField(blank=True, default=dict, help_text='Any other attribute, by DICOM keyword: {"MedicalAlerts": "Pacemaker", "PregnancyStatus": 1}.', verbose_name='extra attributes'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='modality',
                    field=models.CharField(max_length=16, validators=[worklist.validators.code_string], verbose_name='modality'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='patient_birth_date',
                    field=models.DateField(blank=True, null=True, verbose_name='patient birth date'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='patient_name',
                    field=models.CharField(max_length=194, validators=[worklist.validators.person_name], verbose_name='patient name'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='patient_sex',
                    field=models.CharField(blank=True, choices=[('F', 'Female'), ('M', 'Male'), ('O', 'Other')], default='', max_length=1, verbose_name='patient sex'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='performing_physician',
                    field=models.CharField(blank=True, default='', max_length=194, validators=[worklist.validators.person_name], verbose_name='performing physician'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='procedure_description',
                    field=models.CharField(blank=True, default='', help_text='Scheduled Procedure Step Description: what the console shows.', max_length=64, validators=[worklist.validators.text], verbose_name='procedure description'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='protocol_name',
                    field=models.CharField(blank=True, default='', max_length=64, validators=[worklist.validators.text], verbose_name='protocol name'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='referring_physician_name',
                    field=models.CharField(blank=True, default='', max_length=194, validators=[worklist.validators.person_name], verbose_name='referring physician name'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='requesting_physician',
                    field=models.CharField(blank=True, default='', max_length=194, validators=[worklist.validators.person_name], verbose_name='requesting physician'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='scheduled_start_date',
                    field=models.DateField(verbose_name='scheduled start date'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='scheduled_start_time',
                    field=models.TimeField(default=datetime.time(0, 0), help_text='Midnight when the time is not known: scanners refuse an empty one.', verbose_name='scheduled start time'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='station_name',
                    field=models.CharField(blank=True, default='', max_length=16, validators=[worklist.validators.text], verbose_name='station name'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='study_description',
                    field=models.CharField(blank=True, default='', help_text='Requested Procedure Description.', max_length=64, validators=[worklist.validators.text], verbose_name='study description'),
                ),
                migrations.AlterField(
                    model_name='worklistitem',
                    name='updated_at',
                    field=models.DateTimeField(auto_now=True, verbose_name='updated at'),
                ),
            ]
        )
    ]
